#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As compile.c names the module. */
#define MODULE "(lifeline:"

/* Made by the build: the names of files, each with its zero octet, and one empty name. Then an octet for each line of the
 * bundle: how many lines of the same file it lies behind the one before, biased by 64; or 255, a file and a line, each as
 * two octets, the low one first; or 254 where it comes from nowhere. */
extern const uint8_t program_lines[], program_lines_end[];

#define BIAS 64
#define NOWHERE 254
#define ANEW 255

struct origin {
  const char *file; /* NULL: not known */
  unsigned line;
};

static const char *file_name(unsigned index) {
  const char *name = (const char *)program_lines;
  while (index-- > 0 && *name != 0) name += strlen(name) + 1;
  return name;
}

static struct origin origin_of(unsigned wanted) {
  const uint8_t *at = program_lines;
  while (at < program_lines_end && *at != 0) at += strlen((const char *)at) + 1;
  unsigned file = 0, line = 0;
  bool known = false;
  for (at++; wanted > 0 && at < program_lines_end; wanted--, at++) {
    known = *at != NOWHERE;
    if (*at == ANEW && program_lines_end - at > 4) {
      file = at[1] | at[2] << 8;
      line = at[3] | at[4] << 8;
      at += 4;
    } else if (known) {
      line += *at - BIAS;
    }
  }
  if (wanted > 0 || !known) return (struct origin){NULL, 0};
  return (struct origin){file_name(file), line};
}

/* Copies a stack, with the lines of the bundle as those of the source. */
static void write_stack(FILE *out, const char *stack) {
  const char *found;
  while ((found = strstr(stack, MODULE)) != NULL) {
    char *end;
    unsigned line = strtoul(found + strlen(MODULE), &end, 10);
    struct origin origin = origin_of(line);
    fwrite(stack, 1, found - stack + 1, out);
    if (*end == ':') strtoul(end + 1, &end, 10);
    if (origin.file == NULL)
      fprintf(out, "lifeline:%u", line);
    else
      fprintf(out, "%s:%u", origin.file, origin.line);
    stack = end;
  }
  fputs(stack, out);
}

static void write_stack_of(FILE *out, JSContext *context, JSValueConst error) {
  JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char *text = JS_IsString(stack) ? JS_ToCString(context, stack) : NULL;
  if (text != NULL) write_stack(out, text);
  JS_FreeCString(context, text);
  JS_FreeValue(context, stack);
  /* A getter that throws tells nothing of the error that is to be told. */
  JS_FreeValue(context, JS_GetException(context));
}

char *trace_text(JSContext *context, JSValueConst error) {
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) return NULL;
  const char *words = JS_ToCString(context, error);
  if (words == NULL) JS_FreeValue(context, JS_GetException(context));
  fputs(words == NULL ? "an error that says nothing" : words, out);
  JS_FreeCString(context, words);
  if (JS_IsError(context, error)) {
    fputc('\n', out);
    write_stack_of(out, context, error);
  }
  if (fclose(out) != 0) {
    free(text);
    return NULL;
  }
  while (length > 0 && text[length - 1] == '\n') text[--length] = 0;
  return text;
}

JSValue js_trace(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  char *text = trace_text(context, arguments[0]);
  JSValue result = text == NULL ? JS_ThrowOutOfMemory(context) : JS_NewString(context, text);
  free(text);
  return result;
}
