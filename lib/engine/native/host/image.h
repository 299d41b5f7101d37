/* Images: memory of loaded traces, which the instances of the process map copy-on-write. */
#ifndef BIGTRACE_IMAGE_H
#define BIGTRACE_IMAGE_H

#include "instance.h"

struct image;

/*
 * Begins an image of so many bytes, all zero. The instance has it until it adopts or drops it, or ends: its thread can be ended
 * at any time. Returns false if the system allows none: the process has as many files as it may, or memfd_create is forbidden. */
bool begin_image(struct instance *, uint64_t bytes);
/* Returns false when there is no memory left. */
bool write_image(struct instance *, uint64_t at, const uint8_t *from, size_t length);
/*
 * Lets the image that was begun be read from the file, region by region, as instances touch it (source.h), instead of being
 * written. Returns false if that is not possible here. */
struct region;
bool read_image_from(struct instance *, int file, uint64_t region_bytes, const struct region *regions, size_t count);
/* Ends the image that the instance has begun, if there is one. */
void drop_image(struct instance *);

/*
 * Seals the image that the instance has begun, so that nobody can change or cut it any more, and publishes it under the key,
 * unless there is one: then it is dropped. The instance maps the one with the key. */
bool adopt_image(struct instance *, const char *key);

/* Gives the instance the memory of the image with this key, whatever it had before. Returns false if there is none, or no memory. */
bool map_image(struct instance *, const char *key);

bool has_image(const char *key);

/* Takes the image of the instance from it, if it has one. The memory is not changed. */
void leave_image(struct instance *);

/* Bytes of the pages of the instance's image that the instance has changed, and so has copies of. */
uint64_t changed_bytes(const struct instance *);

#endif
