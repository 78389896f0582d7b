/* compile SOURCE BYTECODE: makes bytecode of one module of JavaScript, without its text but with its line numbers. Used by
 * the build alone; the program has no parser. */
#include <errno.h>
#include <quickjs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "compile: %s: %s\n", what, why);
  exit(1);
}

/* Followed by a zero octet, as JS_Eval wants it. */
static char *read_whole(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail(path, strerror(errno));
  long size = ftell(file);
  char *text = size < 0 ? NULL : malloc(size + 1);
  if (text == NULL) fail(path, "no memory");
  rewind(file);
  if (fread(text, 1, size, file) != (size_t)size) fail(path, "it cannot be read");
  fclose(file);
  text[size] = 0;
  *length = size;
  return text;
}

static void write_whole(const char *path, const uint8_t *octets, size_t length) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) fail(path, strerror(errno));
  if (fwrite(octets, 1, length, file) != length || fclose(file) != 0) fail(path, "it cannot be written");
}

/* What a module imports is there when it runs, not now. */
static JSModuleDef *imported(JSContext *context, const char *name, void *unused) {
  (void)unused;
  return JS_NewCModule(context, name, NULL);
}

int main(int count, char **arguments) {
  if (count != 3) fail("usage", "compile SOURCE BYTECODE");
  JSRuntime *runtime = JS_NewRuntime();
  JSContext *context = runtime == NULL ? NULL : JS_NewContext(runtime);
  if (context == NULL) fail("start", "no memory");
  JS_SetStripInfo(runtime, JS_STRIP_SOURCE);
  JS_SetModuleLoaderFunc(runtime, NULL, imported, NULL);
  size_t length, size;
  char *source = read_whole(arguments[1], &length);
  JSValue module =
      JS_Eval(context, source, length, "lifeline", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(module)) {
    JSValue error = JS_GetException(context);
    JSValue stack = JS_GetPropertyStr(context, error, "stack");
    fprintf(stderr, "%s\n%s", JS_ToCString(context, error), JS_ToCString(context, stack));
    fail(arguments[1], "it does not compile");
  }
  uint8_t *bytecode = JS_WriteObject(context, &size, module, JS_WRITE_OBJ_BYTECODE);
  if (bytecode == NULL) fail(arguments[1], "no bytecode came of it");
  write_whole(arguments[2], bytecode, size);
  return 0;
}
