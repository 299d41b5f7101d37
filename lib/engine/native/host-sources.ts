/** The C files of host/, which are compiled with the C code of the module. Bundles contain them. */
import { createHash } from 'node:crypto';
import addon from './host/addon.c?raw';
import addonHeader from './host/addon.h?raw';
import image from './host/image.c?raw';
import imageHeader from './host/image.h?raw';
import imageCalls from './host/image_calls.c?raw';
import instance from './host/instance.h?raw';
import napi from './host/napi.h?raw';
import packets from './host/packets.c?raw';
import runtime from './host/runtime.c?raw';
import source from './host/source.c?raw';
import sourceHeader from './host/source.h?raw';

export const HOST_SOURCES: Readonly<Record<string, string>> = {
  'addon.c': addon,
  'addon.h': addonHeader,
  'image.c': image,
  'image.h': imageHeader,
  'image_calls.c': imageCalls,
  'instance.h': instance,
  'napi.h': napi,
  'packets.c': packets,
  'runtime.c': runtime,
  'source.c': source,
  'source.h': sourceHeader,
};

/**
 * What an addon states about itself: the wasm file and the C files that it was made of.
 * @param wasm SHA-256 of the wasm file, hex
 */
export function builtOf(wasm: string): string {
  const host = createHash('sha256').update(JSON.stringify(HOST_SOURCES)).digest('hex');
  return `wasm ${wasm} host ${host}`;
}
