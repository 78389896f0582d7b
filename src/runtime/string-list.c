#include "string-list.h"

#include <stdlib.h>
#include <string.h>

char **string_list(JSContext *context, JSValueConst array) {
  JSValue length_value = JS_GetPropertyStr(context, array, "length");
  int32_t length = js_int(context, length_value);
  JS_FreeValue(context, length_value);
  char **list = length < 0 ? NULL : calloc((size_t)length + 1, sizeof *list);
  if (list == NULL) return NULL;
  for (int32_t i = 0; i < length; i++) {
    JSValue value = JS_GetPropertyUint32(context, array, i);
    const char *text = JS_ToCString(context, value);
    if (text != NULL) list[i] = strdup(text);
    JS_FreeCString(context, text);
    JS_FreeValue(context, value);
    if (list[i] == NULL) {
      string_list_free(list);
      return NULL;
    }
  }
  return list;
}

void string_list_free(char **list) {
  for (char **each = list; each != NULL && *each != NULL; each++) free(*each);
  free(list);
}
