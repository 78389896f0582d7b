/* The files of this system: what takes no time (memory, /proc, /sys, a small file on a disk). */
#ifndef LIFELINE_FILES_H
#define LIFELINE_FILES_H

#include "js.h"

/* JS: readFile(path, most): octets | outcome */
JSValue js_read_file(JS_ARGUMENTS);

/* JS: look(path, link): [kind, octets, device, inode, user, group, permissions] | outcome */
JSValue js_look(JS_ARGUMENTS);

/* JS: list(folder): names | outcome */
JSValue js_list(JS_ARGUMENTS);

/* JS: target(link): string | outcome */
JSValue js_target(JS_ARGUMENTS);

/* JS: real(path): string | outcome */
JSValue js_real(JS_ARGUMENTS);

/* JS: tryOpen(path): outcome */
JSValue js_try_open(JS_ARGUMENTS);

/* JS: writeFile(path, octets): outcome; with one write(2) */
JSValue js_write_file(JS_ARGUMENTS);

/* JS: rename(from, to): outcome */
JSValue js_rename(JS_ARGUMENTS);

/* JS: remove(path): outcome */
JSValue js_remove(JS_ARGUMENTS);

/* JS: makeFolder(path, mode): outcome */
JSValue js_make_folder(JS_ARGUMENTS);

/* A path of JavaScript, to be given to JS_FreeCString; NULL with an exception pending, as for one
 * with a zero octet in it. */
const char *files_path(JSContext *context, JSValueConst value);

#endif
