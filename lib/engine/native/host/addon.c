/*
 * The addon: instances of the module for JavaScript (../addon.ts declares its functions). The imports of the module are JavaScript
 * functions, so that both runtimes share them; imports.inc, which the compiler of engines writes, calls them.
 */
#include <stdlib.h>

#include "addon.h"
#include "image.h"

union value {
  u32 i;
  u64 I;
  f32 f;
  f64 F;
};

static union value call_import(struct instance *, uint32_t import, const char *types, const union value *);

/* Defines the imports, `import_names`, and `instantiate`. */
#include "imports.inc"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct instance *registry;
static uint32_t last_id;

static void enroll(struct instance *instance) {
  pthread_mutex_lock(&registry_lock);
  instance->id = ++last_id;
  instance->next = registry;
  registry = instance;
  pthread_mutex_unlock(&registry_lock);
}

static void strike(struct instance *instance) {
  pthread_mutex_lock(&registry_lock);
  struct instance **at = &registry;
  while (*at != instance) at = &(*at)->next;
  *at = instance->next;
  pthread_mutex_unlock(&registry_lock);
}

/* Applies `what` to the instance with this ID, if there still is one; from any thread. */
static void with_instance(uint32_t id, void (*what)(struct instance *)) {
  pthread_mutex_lock(&registry_lock);
  for (struct instance *each = registry; each != NULL; each = each->next)
    if (each->id == id) what(each);
  pthread_mutex_unlock(&registry_lock);
}

static void release(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  struct instance *instance = hint;
  if (--instance->references > 0) return;
  strike(instance);
  drop_image(instance);
  leave_image(instance);
  wasm2c_tp_free(&instance->module);
  pthread_mutex_destroy(&instance->lock);
  free(instance);
}

napi_value undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

static napi_value to_javascript(napi_env env, char type, union value value) {
  napi_value result = NULL;
  if (type == 'i') napi_create_int32(env, (int32_t)value.i, &result);
  if (type == 'I') napi_create_bigint_int64(env, (int64_t)value.I, &result);
  if (type == 'f') napi_create_double(env, value.f, &result);
  if (type == 'F') napi_create_double(env, value.F, &result);
  return result;
}

/* Returns whether the value has the type; `v` takes any. */
static bool from_javascript(napi_env env, char type, napi_value from, union value *to) {
  double number = 0;
  bool lossless;
  if (type == 'v') return true;
  if (type == 'i') return napi_get_value_int32(env, from, (int32_t *)&to->i) == 0;
  if (type == 'I') return napi_get_value_bigint_int64(env, from, (int64_t *)&to->I, &lossless) == 0;
  if (napi_get_value_double(env, from, &number) != 0) return false;
  if (type == 'f') to->f = (f32)number;
  else to->F = number;
  return true;
}

/* Returns whether the function returned a value of the type. A call can fail without an exception: when the thread is being ended. */
static bool call_javascript(struct instance *instance, napi_value function, size_t count, const napi_value *args, char type, union value *result) {
  napi_env env = instance->env;
  napi_value returned;
  if (napi_call_function(env, undefined(env), function, count, args, &returned) == 0) {
    if (from_javascript(env, type, returned, result)) return true;
    napi_throw_error(env, NULL, "an import of the module returned a value of another type");
  }
  return false;
}

#define ARGUMENTS_MAX 8

/* `types`: that of the result, then those of the values; v for none, i and I for integers, f and F for floats. */
static union value call_import(struct instance *instance, uint32_t import, const char *types, const union value *values) {
  if (!has_stack_for_javascript()) leave(WASM_RT_TRAP_EXHAUSTION);
  pause_inside(instance);
  napi_env env = instance->env;
  napi_handle_scope scope;
  napi_value function, args[ARGUMENTS_MAX];
  union value result = {0};
  napi_open_handle_scope(env, &scope);
  size_t count = 0;
  for (; types[count + 1] != '\0'; count++) args[count] = to_javascript(env, types[count + 1], values[count]);
  napi_get_element(env, instance->imports, import, &function);
  const bool returned = call_javascript(instance, function, count, args, types[0], &result);
  napi_close_handle_scope(env, scope);
  if (!returned) leave(LEFT_THREW);
  resume_inside(instance);
  return result;
}

/* The module calls it through its table, with a piece of the reply stream. */
static void on_reply(void *closure, u32 at, u32 length) {
  struct instance *instance = closure;
  if (!has_stack_for_javascript()) leave(WASM_RT_TRAP_EXHAUSTION);
  pause_inside(instance);
  napi_env env = instance->env;
  napi_handle_scope scope;
  napi_value args[2];
  union value nothing;
  napi_open_handle_scope(env, &scope);
  napi_create_uint32(env, at, &args[0]);
  napi_create_uint32(env, length, &args[1]);
  const bool returned = call_javascript(instance, instance->on_reply, 2, args, 'v', &nothing);
  napi_close_handle_scope(env, scope);
  if (!returned) leave(LEFT_THREW);
  resume_inside(instance);
}

/* The words of V8. */
static const char *reason_text(int reason) {
  switch (reason) {
    case WASM_RT_TRAP_OOB: return "memory access out of bounds";
    case WASM_RT_TRAP_INT_OVERFLOW: return "divide result unrepresentable";
    case WASM_RT_TRAP_DIV_BY_ZERO: return "divide by zero";
    case WASM_RT_TRAP_INVALID_CONVERSION: return "float unrepresentable in integer range";
    case WASM_RT_TRAP_UNREACHABLE: return "unreachable";
    case WASM_RT_TRAP_CALL_INDIRECT: return "null function or function signature mismatch";
    case WASM_RT_TRAP_EXHAUSTION: return "Maximum call stack size exceeded";
    case LEFT_INTERRUPTED: return "interrupted";
    case LEFT_LOST: return "the file that its memory is read from is damaged";
    case LEFT_NO_MEMORY: return "the machine has no memory left for an instance";
    default: return "trap";
  }
}

/* Runs `work` for a call from JavaScript, and throws if it did not return. */
static bool enter(napi_env env, struct instance *instance, napi_value imports, napi_value on_reply, work work, struct call *call) {
  instance->env = env;
  instance->imports = imports;
  instance->on_reply = on_reply;
  const int reason = run(instance, work, call);
  if (reason != 0 && reason != LEFT_THREW) napi_throw_error(env, NULL, reason_text(reason));
  return reason == 0;
}

#define HOST_PAGE_BYTES 4096u
/* The guard takes this part of the stack; the stacks of known engines have 64 KiB or 2 MiB. */
#define GUARD_PART 16

static uint32_t page_above(uint32_t at) { return (at + HOST_PAGE_BYTES - 1) & ~(HOST_PAGE_BYTES - 1); }

static void start(struct instance *instance, struct call *call) {
  (void)call;
  w2c_tp *module = &instance->module;
  instantiate(instance);
  w2c_tp_emscripten_stack_init(module);
  instance->stack_top = w2c_tp_emscripten_stack_get_current(module);
  const uint32_t end = w2c_tp_emscripten_stack_get_end(module);
  instance->guard_at = page_above(end);
  instance->guard_bytes = page_above((instance->stack_top - end) / GUARD_PART);
  const wasm_rt_funcref_t function = {
      wasm2c_tp_get_func_type(2, 0, WASM_RT_I32, WASM_RT_I32), (wasm_rt_function_ptr_t)on_reply, {NULL}, instance};
  instance->callback = wasm_rt_grow_funcref_table(&module->w2c_0x5F_indirect_function_table, 1, function);
  if (instance->callback == UINT32_MAX) leave(LEFT_NO_MEMORY);
}

static void boot(struct instance *instance, struct call *call) {
  w2c_tp_0x5F_wasm_call_ctors(&instance->module);
  call->result = w2c_tp_trace_processor_rpc_init(&instance->module, instance->callback, call->argument);
}

static void request(struct instance *instance, struct call *call) {
  w2c_tp_trace_processor_on_rpc_request(&instance->module, call->argument);
}

struct arguments arguments_of(napi_env env, napi_callback_info info) {
  struct arguments all = {{0}, NULL};
  size_t count = 4;
  void *instance = NULL;
  napi_get_cb_info(env, info, &count, all.value, NULL, NULL);
  napi_get_value_external(env, all.value[0], &instance);
  all.instance = instance;
  return all;
}

/* create(imports, onReply): handle */
static napi_value js_create(napi_env env, napi_callback_info info) {
  napi_value args[2], handle;
  size_t count = 2;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    napi_throw_error(env, NULL, reason_text(LEFT_NO_MEMORY));
    return NULL;
  }
  pthread_mutex_init(&instance->lock, NULL);
  instance->references = 1;
  enroll(instance);
  struct call call = {0};
  if (!enter(env, instance, args[0], args[1], start, &call) ||
      napi_create_external(env, instance, release, instance, &handle) != 0) {
    release(env, instance, instance);
    return NULL;
  }
  return handle;
}

static napi_value enter_with(napi_env env, napi_callback_info info, work work) {
  struct arguments all = arguments_of(env, info);
  struct call call = {0};
  napi_value result;
  napi_get_value_uint32(env, all.value[3], &call.argument);
  if (!enter(env, all.instance, all.value[1], all.value[2], work, &call)) return NULL;
  napi_create_uint32(env, call.result, &result);
  return result;
}

/* boot(handle, imports, onReply, requestBytes): address of the request buffer */
static napi_value js_boot(napi_env env, napi_callback_info info) { return enter_with(env, info, boot); }

/* request(handle, imports, onReply, length) */
static napi_value js_request(napi_env env, napi_callback_info info) { return enter_with(env, info, request); }

/* restoreStack(handle) */
static napi_value js_restore_stack(napi_env env, napi_callback_info info) {
  struct instance *instance = arguments_of(env, info).instance;
  w2c_tp_0x5Femscripten_stack_restore(&instance->module, instance->stack_top);
  return undefined(env);
}

napi_value buffer_of(napi_env env, struct instance *instance) {
  napi_value buffer;
  wasm_rt_memory_t *memory = &instance->module.w2c_memory;
  instance->references++;
  if (napi_create_external_arraybuffer(env, memory->data, memory->size, release, instance, &buffer) == 0) return buffer;
  instance->references--;
  napi_throw_error(env, NULL, "this Node allows no ArrayBuffer over the memory of an addon");
  return NULL;
}

/* buffer(handle): ArrayBuffer */
static napi_value js_buffer(napi_env env, napi_callback_info info) {
  return buffer_of(env, arguments_of(env, info).instance);
}

/* grow(handle, buffer, pages): ArrayBuffer | undefined */
static napi_value js_grow(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  uint32_t pages = 0;
  napi_get_value_uint32(env, all.value[2], &pages);
  if (!grow(all.instance, pages)) return undefined(env);
  napi_detach_arraybuffer(env, all.value[1]);
  return buffer_of(env, all.instance);
}

/* id(handle): number */
static napi_value js_id(napi_env env, napi_callback_info info) {
  napi_value id;
  napi_create_uint32(env, arguments_of(env, info).instance->id, &id);
  return id;
}

static napi_value apply(napi_env env, napi_callback_info info, void (*what)(struct instance *)) {
  napi_value arg;
  size_t count = 1;
  uint32_t id = 0;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_uint32(env, arg, &id);
  with_instance(id, what);
  return undefined(env);
}

/* interrupt(id) */
static napi_value js_interrupt(napi_env env, napi_callback_info info) { return apply(env, info, interrupt); }

/* allow(id) */
static napi_value js_allow(napi_env env, napi_callback_info info) { return apply(env, info, allow); }

/* interruptAll() */
static napi_value js_interrupt_all(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_mutex_lock(&registry_lock);
  for (struct instance *each = registry; each != NULL; each = each->next) interrupt(each);
  pthread_mutex_unlock(&registry_lock);
  return undefined(env);
}

void set_functions(napi_env env, napi_value exports, const struct function *functions, size_t count) {
  for (size_t at = 0; at < count; at++) {
    napi_value function;
    napi_create_function(env, functions[at].name, NAPI_AUTO_LENGTH, functions[at].call, NULL, &function);
    napi_set_named_property(env, exports, functions[at].name, function);
  }
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, name, value);
}

__attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1(void) { return 8; }

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"create", js_create}, {"boot", js_boot}, {"request", js_request}, {"restoreStack", js_restore_stack},
      {"buffer", js_buffer}, {"grow", js_grow}, {"id", js_id}, {"interrupt", js_interrupt}, {"allow", js_allow},
      {"interruptAll", js_interrupt_all}};
  install_fault_handler();
  set_functions(env, exports, functions, sizeof functions / sizeof *functions);
  set_image_functions(env, exports);
  set_packet_functions(env, exports);
  napi_value imports;
  const size_t count = sizeof import_names / sizeof *import_names;
  napi_create_array_with_length(env, count, &imports);
  for (size_t at = 0; at < count; at++) {
    napi_value name;
    napi_create_string_utf8(env, import_names[at], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, imports, (uint32_t)at, name);
  }
  napi_set_named_property(env, exports, "imports", imports);
  set_text(env, exports, "built", BUILT);
  return exports;
}
