/* The part of Node-API (version 8, a stable ABI) that the addon uses. Many installations of Node have no headers. */
#ifndef BIGTRACE_NAPI_H
#define BIGTRACE_NAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_handle_scope__ *napi_handle_scope;
typedef struct napi_callback_info__ *napi_callback_info;
/* 0 is success. */
typedef int napi_status;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *data, void *hint);

#define NAPI_AUTO_LENGTH SIZE_MAX

napi_status napi_get_cb_info(napi_env, napi_callback_info, size_t *count, napi_value *args, napi_value *self, void **data);
napi_status napi_create_function(napi_env, const char *name, size_t, napi_callback, void *data, napi_value *);
napi_status napi_call_function(napi_env, napi_value self, napi_value function, size_t count, const napi_value *args, napi_value *);
napi_status napi_set_named_property(napi_env, napi_value object, const char *name, napi_value);
napi_status napi_create_array_with_length(napi_env, size_t, napi_value *);
napi_status napi_set_element(napi_env, napi_value array, uint32_t, napi_value);
napi_status napi_get_element(napi_env, napi_value array, uint32_t, napi_value *);
napi_status napi_create_external(napi_env, void *, napi_finalize, void *hint, napi_value *);
napi_status napi_get_value_external(napi_env, napi_value, void **);
napi_status napi_create_external_arraybuffer(napi_env, void *, size_t, napi_finalize, void *hint, napi_value *);
napi_status napi_detach_arraybuffer(napi_env, napi_value);
napi_status napi_get_undefined(napi_env, napi_value *);
napi_status napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
napi_status napi_create_int32(napi_env, int32_t, napi_value *);
napi_status napi_create_uint32(napi_env, uint32_t, napi_value *);
napi_status napi_create_double(napi_env, double, napi_value *);
napi_status napi_create_bigint_int64(napi_env, int64_t, napi_value *);
napi_status napi_get_value_int32(napi_env, napi_value, int32_t *);
napi_status napi_get_value_uint32(napi_env, napi_value, uint32_t *);
napi_status napi_get_value_double(napi_env, napi_value, double *);
napi_status napi_get_value_bigint_int64(napi_env, napi_value, int64_t *, bool *lossless);
napi_status napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
napi_status napi_get_boolean(napi_env, bool, napi_value *);
/* `type` is an enumeration. */
napi_status napi_get_typedarray_info(napi_env, napi_value, int *type, size_t *length, void **, napi_value *buffer, size_t *offset);
napi_status napi_open_handle_scope(napi_env, napi_handle_scope *);
napi_status napi_close_handle_scope(napi_env, napi_handle_scope);
napi_status napi_throw_error(napi_env, const char *code, const char *message);

#endif
