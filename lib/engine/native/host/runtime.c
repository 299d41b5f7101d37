/*
 * What the C code of wasm2c needs: memory, tables, traps. The memory is followed by inaccessible pages, so that an access out of
 * bounds is a fault (SIGSEGV), which leaves the module. Faults elsewhere go to the handler that was there before: V8's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "instance.h"
#include "source.h"

/* An address of 32 bits plus an offset of 32 bits, and the longest access. */
#define RESERVED_BYTES ((1ull << 33) + (1ull << 16))
#define ALTERNATE_STACK_BYTES (1u << 16)
#define JAVASCRIPT_STACK_BYTES (1u << 18)
/* Room for the frame of `run`, below which the stack is free once the module is left. */
#define FRAME_BYTES 8192
/* A fault so near to the end of the stack is an overflow: code is compiled to touch every page of it. */
#define STACK_END_BYTES (1u << 16)

/* `initial-exec`: the handler of faults reads it, and must not allocate. */
static _Thread_local struct instance *current __attribute__((tls_model("initial-exec")));

struct thread {
  void *alternate_stack;
  uint8_t *stack_end;
};
static _Thread_local struct thread *own_thread __attribute__((tls_model("initial-exec")));

static struct sigaction previous;
static pthread_key_t thread_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

_Noreturn void leave(int reason) { siglongjmp(current->exit, reason); }

void wasm_rt_trap(wasm_rt_trap_t trap) { leave(trap); }

bool wasm_rt_is_initialized(void) { return true; }

#ifndef __x86_64__
#error "the registers of this processor are not known here"
#endif

/*
 * Makes the thread go on in `leave`. The handler must return: only the kernel restores the rights to memory of V8 (protection
 * keys) that it took away for the handler.
 */
static void leave_on_return(struct instance *instance, int reason, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  registers[REG_RIP] = (greg_t)leave;
  registers[REG_RDI] = reason;
  registers[REG_RSP] = (greg_t)instance->exit_stack;
}

#if WASM_RT_USE_SEGUE
/*
 * Code that clang compiled addresses the memory through the segment register GS, which nothing else in the process uses. The
 * module never sets it (compile/compile.ts): it is set when the memory is there, and again wherever another instance may have
 * run meanwhile, before any code of the module accesses the memory. (`restoreStack` sets a variable only.)
 */
#include <asm/prctl.h>
#define HWCAP2_FSGSBASE_BIT 2ul
bool wasm_rt_fsgsbase_inst_supported;

void wasm_rt_syscall_set_segue_base(void *base) {
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, base) != 0) abort();
}

static void find_segment_instructions(void) {
  wasm_rt_fsgsbase_inst_supported = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
}

static void address_memory(uint8_t *base) {
  if (wasm_rt_fsgsbase_inst_supported)
    __builtin_ia32_wrgsbase64((uintptr_t)base);
  else
    wasm_rt_syscall_set_segue_base(base);
}
#else
static void find_segment_instructions(void) {}
static void address_memory(uint8_t *base) { (void)base; }
#endif

static bool is_in_guard(const struct instance *instance, const uint8_t *at) {
  const uint8_t *guard = instance->module.w2c_memory.data + instance->guard_at;
  return instance->guard_at != 0 && at >= guard && at < guard + instance->guard_bytes;
}

/* Whether the fault is in a part of an instance's memory that was not read from its source before. JavaScript reads it, too. */
static bool was_not_read(const siginfo_t *info, void *context) {
  struct instance *instance = covered_at(info->si_addr);
  const int error = errno;
  const bool resolved = instance != NULL && resolve_fault(instance, info->si_addr);
  errno = error;
  if (!resolved) return false;
  if (instance->lost && instance->inside) leave_on_return(instance, LEFT_LOST, context);
  return true;
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  if (was_not_read(info, context)) return;
  struct instance *instance = current;
  if (instance != NULL && instance->inside) {
    const uint8_t *at = info->si_addr;
    const wasm_rt_memory_t *memory = &instance->module.w2c_memory;
    if (at >= memory->data && at < memory->data_end) {
      const int reason = atomic_load(&instance->interrupted) ? LEFT_INTERRUPTED
                         : is_in_guard(instance, at)          ? WASM_RT_TRAP_EXHAUSTION
                                                              : WASM_RT_TRAP_OOB;
      leave_on_return(instance, reason, context);
      return;
    }
    const uint8_t *end = own_thread->stack_end;
    if (at >= end - STACK_END_BYTES && at < end + STACK_END_BYTES) {
      leave_on_return(instance, WASM_RT_TRAP_EXHAUSTION, context);
      return;
    }
  }
  if (previous.sa_flags & SA_SIGINFO)
    previous.sa_sigaction(signal, info, context);
  else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
    sigaction(signal, &previous, NULL); /* the instruction faults again, and ends the process */
  else
    previous.sa_handler(signal);
}

static void end_thread(void *ending) {
  struct thread *thread = ending;
  stack_t off = {.ss_flags = SS_DISABLE};
  sigaltstack(&off, NULL);
  munmap(thread->alternate_stack, ALTERNATE_STACK_BYTES);
  free(thread);
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = on_fault};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &previous);
  pthread_key_create(&thread_key, end_thread);
  find_segment_instructions();
}

void install_fault_handler(void) { pthread_once(&once, install); }

/* Finds the end of this thread's stack, and gives it another one for the handler of faults. */
static bool prepare_thread(void) {
  if (own_thread != NULL) return true;
  struct thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) return false;
  thread->alternate_stack = mmap(NULL, ALTERNATE_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t alternate = {.ss_sp = thread->alternate_stack, .ss_size = ALTERNATE_STACK_BYTES};
  pthread_attr_t attributes;
  void *stack;
  size_t bytes;
  if (thread->alternate_stack == MAP_FAILED || pthread_getattr_np(pthread_self(), &attributes) != 0) {
    free(thread);
    return false;
  }
  pthread_attr_getstack(&attributes, &stack, &bytes);
  pthread_attr_destroy(&attributes);
  thread->stack_end = stack;
  sigaltstack(&alternate, NULL);
  pthread_setspecific(thread_key, thread);
  own_thread = thread;
  return true;
}

bool has_stack_for_javascript(void) {
  return (uint8_t *)__builtin_frame_address(0) > own_thread->stack_end + JAVASCRIPT_STACK_BYTES;
}

static bool protect(struct instance *instance, int protection) {
  wasm_rt_memory_t *memory = &instance->module.w2c_memory;
  if (instance->source != NULL && protection != PROT_NONE) return expose_again(instance);
  return memory->data == NULL || mprotect(memory->data, memory->size, protection) == 0;
}

/* The lowest pages of the module's own stack are inaccessible while its code runs. JavaScript, which reads the whole memory between calls, must find all of it accessible. */
void guard_stack(struct instance *instance, int protection) {
  if (instance->guard_at != 0) mprotect(instance->module.w2c_memory.data + instance->guard_at, instance->guard_bytes, protection);
}

void pause_inside(struct instance *instance) {
  pthread_mutex_lock(&instance->lock);
  if (instance->inside && atomic_load(&instance->interrupted)) protect(instance, PROT_READ | PROT_WRITE);
  instance->inside = false;
  pthread_mutex_unlock(&instance->lock);
}

void resume_inside(struct instance *instance) {
  pthread_mutex_lock(&instance->lock);
  const bool is_interrupted = atomic_load(&instance->interrupted);
  instance->inside = !is_interrupted && !instance->lost;
  pthread_mutex_unlock(&instance->lock);
  if (!instance->inside) leave(is_interrupted ? LEFT_INTERRUPTED : LEFT_LOST);
  address_memory(instance->module.w2c_memory.data);
}

void interrupt(struct instance *instance) {
  pthread_mutex_lock(&instance->lock);
  atomic_store(&instance->interrupted, true);
  if (instance->inside) protect(instance, PROT_NONE);
  pthread_mutex_unlock(&instance->lock);
}

void allow(struct instance *instance) {
  pthread_mutex_lock(&instance->lock);
  /* While code is inside, it still has to trap. */
  if (!instance->inside) atomic_store(&instance->interrupted, false);
  pthread_mutex_unlock(&instance->lock);
}

int run(struct instance *instance, work work, struct call *call) {
  if (!prepare_thread()) return LEFT_NO_MEMORY;
  struct instance *const outer = current;
  current = instance;
  /* As after a call: the stack is aligned to 16 bytes, and a return address is on it. */
  instance->exit_stack = (((uintptr_t)__builtin_frame_address(0) - FRAME_BYTES) & ~(uintptr_t)15) - 8;
  const int reason = sigsetjmp(instance->exit, 0);
  if (reason == 0) {
    guard_stack(instance, PROT_NONE);
    resume_inside(instance);
    work(instance, call);
  }
  pause_inside(instance);
  guard_stack(instance, PROT_READ | PROT_WRITE);
  current = outer;
  return reason;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t initial_pages, uint64_t max_pages, bool is64, uint32_t page_bytes) {
  const uint64_t bytes = initial_pages * page_bytes;
  uint8_t *data = mmap(NULL, RESERVED_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) leave(LEFT_NO_MEMORY);
  if (mprotect(data, bytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(data, RESERVED_BYTES);
    leave(LEFT_NO_MEMORY);
  }
  *memory = (wasm_rt_memory_t){
      .data = data, .data_end = data + RESERVED_BYTES, .page_size = page_bytes, .pages = initial_pages,
      .max_pages = max_pages, .size = bytes, .is64 = is64};
  address_memory(data);
}

uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages) {
  const uint64_t before = memory->pages;
  const uint64_t bytes = pages * memory->page_size;
  if (pages > memory->max_pages - before) return UINT64_MAX;
  if (bytes > 0 && mprotect(memory->data + memory->size, bytes, PROT_READ | PROT_WRITE) != 0) return UINT64_MAX;
  memory->pages += pages;
  memory->size += bytes;
  return before;
}

bool grow(struct instance *instance, uint64_t pages) {
  pthread_mutex_lock(&instance->lock);
  const bool grown = wasm_rt_grow_memory(&instance->module.w2c_memory, pages) != UINT64_MAX;
  pthread_mutex_unlock(&instance->lock);
  return grown;
}

static bool map_fixed(uint8_t *at, uint64_t bytes, int protection, int flags, int file) {
  return bytes == 0 || mmap(at, bytes, protection, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | flags, file, 0) != MAP_FAILED;
}

bool replace_memory(struct instance *instance, int file, uint64_t bytes) {
  wasm_rt_memory_t *memory = &instance->module.w2c_memory;
  pthread_mutex_lock(&instance->lock);
  const bool replaced = map_fixed(memory->data + bytes, RESERVED_BYTES - bytes, PROT_NONE, MAP_ANONYMOUS, -1) &&
                        map_fixed(memory->data, bytes, PROT_READ | PROT_WRITE, file < 0 ? MAP_ANONYMOUS : 0, file);
  memory->size = replaced ? bytes : 0;
  memory->pages = memory->size / memory->page_size;
  /* Nobody accesses a memory without a size; it must remain reserved nevertheless. */
  if (!replaced && !map_fixed(memory->data, RESERVED_BYTES, PROT_NONE, MAP_ANONYMOUS, -1)) abort();
  pthread_mutex_unlock(&instance->lock);
  return replaced;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
  if (memory->data != NULL) munmap(memory->data, RESERVED_BYTES);
  memory->data = NULL;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements, uint32_t max_elements) {
  *table = (wasm_rt_funcref_table_t){.size = elements, .max_size = max_elements};
  table->data = calloc(elements, sizeof *table->data);
  if (table->data == NULL) leave(LEFT_NO_MEMORY);
}

uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *table, uint32_t delta, wasm_rt_funcref_t value) {
  const uint32_t before = table->size;
  if (delta > table->max_size - before) return UINT32_MAX;
  wasm_rt_funcref_t *data = realloc(table->data, ((size_t)before + delta) * sizeof *data);
  if (data == NULL) return UINT32_MAX;
  for (uint32_t at = before; at < before + delta; at++) data[at] = value;
  table->data = data;
  table->size = before + delta;
  return before;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) { free(table->data); }
