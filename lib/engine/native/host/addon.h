/* What the functions for JavaScript share. */
#ifndef BIGTRACE_ADDON_H
#define BIGTRACE_ADDON_H

#include "instance.h"

struct arguments {
  napi_value value[4];
  struct instance *instance;
};

/* Reads the arguments; the first is the handle of an instance, if the function has one. */
struct arguments arguments_of(napi_env, napi_callback_info);

napi_value undefined(napi_env);

/* A new ArrayBuffer over the memory. */
napi_value buffer_of(napi_env, struct instance *);

struct function {
  const char *name;
  napi_callback call;
};

void set_functions(napi_env, napi_value exports, const struct function *, size_t count);
void set_image_functions(napi_env, napi_value exports);
void set_packet_functions(napi_env, napi_value exports);

#endif
