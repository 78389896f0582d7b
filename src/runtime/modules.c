#include "modules.h"

#include "files.h"
#include "interfaces.h"
#include "lookup.h"
#include "node-api.h"
#include "process.h"
#include "programs.h"
#include "replace.h"
#include "servers.h"
#include "signals.h"
#include "sockets.h"
#include "timers.h"
#include "trace.h"

#define NAME "lifeline:system"

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("addon", 0, js_addon),
    JS_CFUNC_DEF("readFile", 2, js_read_file),
    JS_CFUNC_DEF("look", 2, js_look),
    JS_CFUNC_DEF("list", 1, js_list),
    JS_CFUNC_DEF("target", 1, js_target),
    JS_CFUNC_DEF("real", 1, js_real),
    JS_CFUNC_DEF("tryOpen", 1, js_try_open),
    JS_CFUNC_DEF("writeFile", 2, js_write_file),
    JS_CFUNC_DEF("replace", 3, js_replace),
    JS_CFUNC_DEF("rename", 2, js_rename),
    JS_CFUNC_DEF("remove", 1, js_remove),
    JS_CFUNC_DEF("makeFolder", 2, js_make_folder),
    JS_CFUNC_DEF("lookup", 2, js_lookup),
    JS_CFUNC_DEF("connectTcp", 2, js_connect_tcp),
    JS_CFUNC_DEF("connectUnix", 1, js_connect_unix),
    JS_CFUNC_DEF("tell", 2, js_tell_stream),
    JS_CFUNC_DEF("writeStream", 2, js_write_stream),
    JS_CFUNC_DEF("pendingOf", 1, js_pending_of),
    JS_CFUNC_DEF("stateOf", 1, js_state_of),
    JS_CFUNC_DEF("finishStream", 1, js_finish_stream),
    JS_CFUNC_DEF("destroyStream", 1, js_destroy_stream),
    JS_CFUNC_DEF("listen", 2, js_listen),
    JS_CFUNC_DEF("closeServer", 1, js_close_server),
    JS_CFUNC_DEF("startProgram", 8, js_start_program),
    JS_CFUNC_DEF("signalProgram", 2, js_signal_program),
    JS_CFUNC_DEF("releaseProgram", 1, js_release_program),
    JS_CFUNC_DEF("signalName", 1, js_signal_name),
    JS_CFUNC_DEF("process", 0, js_process),
    JS_CFUNC_DEF("output", 2, js_output),
    JS_CFUNC_DEF("columns", 1, js_columns),
    JS_CFUNC_DEF("exit", 1, js_exit),
    JS_CFUNC_DEF("collect", 0, js_collect),
    JS_CFUNC_DEF("onSignal", 2, js_on_signal),
    JS_CFUNC_DEF("offSignal", 1, js_off_signal),
    JS_CFUNC_DEF("now", 0, js_now),
    JS_CFUNC_DEF("startOfNow", 0, js_start_of_now),
    JS_CFUNC_DEF("at", 2, js_at),
    JS_CFUNC_DEF("cancel", 1, js_cancel),
    JS_CFUNC_DEF("random", 1, js_random),
    JS_CFUNC_DEF("interfaces", 0, js_interfaces),
    JS_CFUNC_DEF("text", 1, js_text),
    JS_CFUNC_DEF("utf8", 1, js_utf8),
    JS_CFUNC_DEF("trace", 1, js_trace),
};

/* The addon counts on the one global that Node has for it. */
static const JSCFunctionListEntry globals[] = {JS_CFUNC_DEF("setImmediate", 1, js_set_immediate)};

static int fill(JSContext *context, JSModuleDef *module) {
  return JS_SetModuleExportList(context, module, functions, COUNT_OF(functions));
}

bool modules_add(JSContext *context) {
  JSModuleDef *module = JS_NewCModule(context, NAME, fill);
  if (module == NULL || JS_AddModuleExportList(context, module, functions, COUNT_OF(functions)) < 0) return false;
  JSValue global = JS_GetGlobalObject(context);
  JS_SetPropertyFunctionList(context, global, globals, COUNT_OF(globals));
  JS_FreeValue(context, global);
  return true;
}
