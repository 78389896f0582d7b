#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "loop.h"
#include "pipes.h"
#include "signals.h"
#include "string-list.h"

enum told { OUTPUT = 1, COMPLAINT, ENDED, KILLED, CLOSED };

/* One reference is JavaScript's, one that of the list while it or its output has not ended. */
struct program {
  pid_t pid; /* 0: it has ended */
  bool leads, bound, closed;
  int references;
  struct pipe_reader output, complaints;
  struct pipe_writer input;
  struct post released; /* holds a reference while it is posted */
  pid_t group; /* that it leads; kept past its end, for those that it left behind */
  JSValue told;
  struct program *next;
};

static struct {
  JSContext *context;
  struct program *list;
} programs;

static JSClassID program_class;

static void on_children(void);

static void release(struct program *program) {
  if (--program->references == 0) free(program);
}

static void on_collected(JSRuntime *runtime, JSValue value) {
  (void)runtime;
  struct program *program = JS_GetOpaque(value, program_class);
  if (program != NULL) release(program);
}

static void kill_bound(void) {
  for (struct program *each = programs.list; each != NULL; each = each->next)
    if (each->bound && each->pid != 0) kill(each->pid, SIGKILL);
}

bool programs_start(JSContext *context) {
  programs.context = context;
  signals_on_child(on_children);
  if (atexit(kill_bound) != 0) return false;
  JS_NewClassID(&program_class);
  return JS_NewClass(JS_GetRuntime(context), program_class, &(JSClassDef){"Program", .finalizer = on_collected}) == 0;
}

static void tell(struct program *program, enum told what, JSValue value) {
  JSValue arguments[] = {JS_NewInt32(programs.context, what), value};
  engine_call(programs.context, program->told, COUNT_OF(arguments), arguments);
}

static void check_closed(struct program *program) {
  if (program->pid != 0 || program->closed || pipe_reader_is_open(&program->output) || pipe_reader_is_open(&program->complaints)) return;
  program->closed = true;
  pipe_writer_close(&program->input);
  struct program **link = &programs.list;
  while (*link != program) link = &(*link)->next;
  *link = program->next;
  tell(program, CLOSED, JS_UNDEFINED);
  JS_FreeValue(programs.context, program->told);
  loop_release();
  release(program);
}

static void on_output(void *owner, const uint8_t *octets, size_t length) {
  struct program *program = owner;
  if (length > 0) tell(program, OUTPUT, js_bytes(programs.context, octets, length));
  check_closed(program);
}

static void on_complaint(void *owner, const uint8_t *octets, size_t length) {
  struct program *program = owner;
  if (length > 0) tell(program, COMPLAINT, js_bytes(programs.context, octets, length));
  check_closed(program);
}

static void on_released(struct post *post) {
  struct program *program = (struct program *)((char *)post - offsetof(struct program, released));
  check_closed(program);
  release(program);
}

/* What is called here may start programs and let go of others: so the list is looked through anew after each. */
static void on_children(void) {
  struct program *each = programs.list;
  while (each != NULL) {
    int status;
    if (each->pid == 0 || waitpid(each->pid, &status, WNOHANG) != each->pid) {
      each = each->next;
      continue;
    }
    each->pid = 0;
    each->references++;
    if (WIFSIGNALED(status))
      tell(each, KILLED, JS_NewInt32(programs.context, WTERMSIG(status)));
    else
      tell(each, ENDED, JS_NewInt32(programs.context, WEXITSTATUS(status)));
    check_closed(each);
    release(each);
    each = programs.list;
  }
}

/* How it is started, but for its descriptors; NULL-terminated lists. */
struct start {
  char **candidates, **arguments, **environment;
  const char *folder;
  bool leads;
};

/* Runs the first of the candidates that is there, as execvp(3) does. Returns 0 or an errno number. */
static int spawn_first(pid_t *pid, const struct start *start, const int descriptors[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t ours;
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (start->leads ? POSIX_SPAWN_SETPGROUP : 0);
  signals_ours(&ours);
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawnattr_init(&attributes);
  if (error == 0) {
    for (int fd = 0; fd < 3 && error == 0; fd++) error = posix_spawn_file_actions_adddup2(&actions, descriptors[fd], fd);
    if (error == 0 && start->folder[0] != 0) error = posix_spawn_file_actions_addchdir_np(&actions, start->folder);
    posix_spawnattr_setflags(&attributes, flags);
    posix_spawnattr_setsigmask(&attributes, signals_original());
    posix_spawnattr_setsigdefault(&attributes, &ours);
    int refused = 0;
    for (char **each = start->candidates; error == 0 && *each != NULL; each++) {
      int why = posix_spawn(pid, *each, &actions, &attributes, start->arguments, start->environment);
      if (why == 0) {
        refused = 0;
        break;
      }
      if (why == EACCES || refused == 0) refused = why;
      if (why != EACCES && why != ENOENT && why != ENOTDIR) error = why;
    }
    if (error == 0) error = refused == ENOTDIR ? ENOENT : refused;
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Its three pipes, ours and its ends; or none for what it reads, if that is nothing. */
static int make_pipes(int ours[3], int its[3], bool has_input) {
  int ends[2];
  for (int i = 0; i < 3; i++) ours[i] = its[i] = -1;
  if (!has_input) its[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (!has_input && its[0] < 0) return errno;
  for (int i = has_input ? 0 : 1; i < 3; i++) {
    if (pipe2(ends, O_CLOEXEC) < 0) return errno;
    ours[i] = ends[i == 0];
    its[i] = ends[i != 0];
    fcntl(ours[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

static void close_all(const int descriptors[3]) {
  for (int i = 0; i < 3; i++)
    if (descriptors[i] >= 0) close(descriptors[i]);
}

static int begin(struct program *program, const struct start *start, struct octets input) {
  int ours[3], its[3];
  int error = make_pipes(ours, its, input.length > 0);
  if (error == 0) error = spawn_first(&program->pid, start, its);
  close_all(its);
  if (error != 0) {
    close_all(ours);
    return error;
  }
  program->group = program->pid;
  /* It runs: what we have no memory to listen to is lost, and said so by the engine. */
  if (ours[0] >= 0) pipe_writer_open(&program->input, ours[0], input.data, input.length);
  pipe_reader_open(&program->output, ours[1], on_output, program);
  pipe_reader_open(&program->complaints, ours[2], on_complaint, program);
  return 0;
}

JSValue js_start_program(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  JSValue handle = JS_NewObjectClass(context, program_class);
  if (JS_IsException(handle)) return handle;
  struct start start = {string_list(context, arguments[0]), string_list(context, arguments[1]),
                        string_list(context, arguments[2]), JS_ToCString(context, arguments[3]), JS_ToBool(context, arguments[5])};
  struct program *program = calloc(1, sizeof *program);
  JSValue result = JS_EXCEPTION;
  if (start.candidates != NULL && start.arguments != NULL && start.environment != NULL && start.folder != NULL && program != NULL) {
    program->leads = start.leads;
    program->bound = JS_ToBool(context, arguments[6]);
    int error = begin(program, &start, js_octets(context, arguments[4]));
    if (error == 0) {
      program->told = JS_DupValue(context, arguments[7]);
      program->references = 2;
      program->next = programs.list;
      programs.list = program;
      JS_SetOpaque(handle, program);
      loop_hold();
      result = JS_DupValue(context, handle);
      program = NULL;
    } else {
      result = js_failed(error);
    }
  } else if (!JS_HasException(context)) {
    JS_ThrowOutOfMemory(context);
  }
  free(program);
  string_list_free(start.candidates);
  string_list_free(start.arguments);
  string_list_free(start.environment);
  JS_FreeCString(context, start.folder);
  JS_FreeValue(context, handle);
  return result;
}

/* Of a group there may be something left after its leader has ended, and nobody else gets its number while that is so. */
JSValue js_signal_program(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct program *program = JS_GetOpaque2(context, arguments[0], program_class);
  if (program == NULL) return JS_EXCEPTION;
  int signal = js_int(context, arguments[1]);
  if (program->leads)
    kill(-program->group, signal);
  else if (program->pid != 0)
    kill(program->pid, signal);
  return JS_UNDEFINED;
}

JSValue js_release_program(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  struct program *program = JS_GetOpaque2(context, arguments[0], program_class);
  if (program == NULL) return JS_EXCEPTION;
  pipe_reader_close(&program->output);
  pipe_reader_close(&program->complaints);
  if (!program->closed && !program->released.posted) {
    program->references++;
    program->released.run = on_released;
    loop_post(&program->released);
  }
  return JS_UNDEFINED;
}

JSValue js_signal_name(JS_ARGUMENTS) {
  (void)self;
  (void)count;
  static const struct {
    int number;
    const char *name;
  } names[] = {{SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"},
               {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"},
               {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},
               {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"}};
  int number = js_int(context, arguments[0]);
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (names[i].number == number) return JS_NewString(context, names[i].name);
  return JS_NewString(context, "SIGRTMIN");
}
