/* An instance of the module, and how its code is entered and left. */
#ifndef BIGTRACE_INSTANCE_H
#define BIGTRACE_INSTANCE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#include "napi.h"
#include "tp.h"

/* Why the module's code was left, beside the traps of wasm_rt_trap_t. */
enum {
  LEFT_INTERRUPTED = 100,
  LEFT_THREW, /* JavaScript threw: the exception is pending, unless the thread is being ended. */
  LEFT_NO_MEMORY,
  LEFT_LOST, /* What its memory is read from is damaged. */
};

/* Into so many regions the memory of an image is divided at most (source.h). Each may become a mapping of its own. */
#define REGIONS_MAX 2048

struct instance {
  w2c_tp module;
  uint32_t id;
  struct instance *next;
  /* The handle in JavaScript, and each ArrayBuffer over the memory. */
  unsigned references;

  /* The image that is mapped as its memory, if one is (image.h). */
  struct image *image;
  /* The file of the image that it has begun, if it has. */
  bool has_begun;
  int begun;
  struct source *begun_source;

  /* What the image is read from as it is touched, if it is (source.h), and which regions of it are accessible here. */
  struct source *source;
  bool exposed[REGIONS_MAX];
  /* Accessible parts between inaccessible ones. */
  size_t parts;
  struct instance *next_covered;
  /* Whether a part of it could not be read: the module's code must not run. */
  bool lost;

  /* Guards `inside`, `interrupted`, and the protection of the memory. */
  pthread_mutex_t lock;
  /* Whether the module's code runs. Then, and only then, the memory may be inaccessible. */
  bool inside;
  atomic_bool interrupted;
  sigjmp_buf exit;
  uintptr_t exit_stack;

  /* Valid during a call from JavaScript. */
  napi_env env;
  napi_value imports;
  napi_value on_reply;

  uint32_t callback;
  uint32_t stack_top;
  /* The lowest pages of the stack in the memory; 0 until it is known. Below it are the module's variables. */
  uint32_t guard_at;
  uint32_t guard_bytes;
};

struct call {
  uint32_t argument;
  uint32_t result;
};

typedef void (*work)(struct instance *, struct call *);

/* Runs `work`, which enters the module. Returns 0, or why it was left. */
int run(struct instance *, work, struct call *);

/* Before and after work in JavaScript that the module's code asks for. `resume_inside` may leave the module. */
void pause_inside(struct instance *);
void resume_inside(struct instance *);

/* Leaves the module's code that runs on this thread. */
_Noreturn void leave(int reason);

/* Whether JavaScript has enough stack on this thread. */
bool has_stack_for_javascript(void);

/* Makes the memory inaccessible while the module's code runs, so that it traps; until `allowed`, it cannot be entered. */
void interrupt(struct instance *);
void allow(struct instance *);

/* Protects the lowest pages of the module's own stack. */
void guard_stack(struct instance *, int protection);

bool grow(struct instance *, uint64_t pages);

/*
 * Replaces the memory by a copy-on-write mapping of the first bytes of a file, or by zeros if the file is -1. If that fails, the
 * instance has no memory. */
bool replace_memory(struct instance *, int file, uint64_t bytes);

/* Installs the handler of faults, once for the process. */
void install_fault_handler(void);

#endif
