/**
 * Runs the embedded engine as a server that replicates tables, and has Replicated databases. clickhouse-local has all code for
 * this, but not what the start of a server does. This entry does it, by patches to the loaded library, as a debugger would, and
 * then is clickhouse-embedded.js:
 * - The address for other replicas is 127.0.0.2 and the port in the file `interserver-port` of the working directory.
 * - The listener of HTTP on 127.0.0.2 serves other replicas, and no queries. That on 127.0.0.1 is not changed.
 * - The server has a UUID, credentials for other replicas (empty ones), and threads that create tables of Replicated
 *   databases, whose statements are allowed.
 *
 * For tests only. It stops if the library is not the build that it knows.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataType, load, open } from 'ffi-rs';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = 4096;
/** PROT_READ | PROT_WRITE | PROT_EXEC */
const ALL = 7;

/** Places in the library: what is there, and what replaces it. */
const GET_ADDRESS = 0x1417c9c0;
const GET_ADDRESS_CODE = '41 56 53 48 83 ec 48 4c 8b 36 49 0f be 8e 67 01 00 00';
/** Context: whether statements of Replicated databases are executed. A server sets it at the end of its start. */
const IS_DDL_ALLOWED = 0x142891c0;
const IS_DDL_ALLOWED_CODE = '0f b6 87 10 09 00 00 c3';
/** The UUID of the server, which a server reads from a file: 16 bytes, and the code that reads them. */
const SERVER_UUID = 0x228a3a48;
const GET_SERVER_UUID = 0x12f9d5c0;
const GET_SERVER_UUID_CODE = '55 41 56 53 48 83 ec 60 48 8b 05 79 64 90 0f';
/** The pool of threads on which a Replicated database creates tables, and one that is initialized. */
const CREATE_POOL = 0xf1ce5c0;
const CREATE_POOL_CODE = '41 57 41 56 53 48 83 ec 20 0f b6 05 e0 ca 5a 13';
const DROP_POOL = 0xf1ce780;
/** Where a replica that fetches a part has loaded its credentials, which are a null pointer, to rax. */
const CREDENTIALS = 0x179c6000;
const CREDENTIALS_CODE = '48 8b 83 c0 00 00 00';
const LISTENER = 0xf117fec;
const LISTENER_CODE = '48 8d 4c 24 20 4c 8d 44 24 50';
/** Padding between functions, and behind the code that replaces getInterserverIOAddress(). */
const CAVE = GET_ADDRESS + 0x50;
const CREDENTIALS_CAVE = CAVE + 0x60;
const FACTORY_NAME = 0x1e0a3a0;
const FACTORY = 'InterserverIOHTTPHandler-factory';

const path = createRequire(import.meta.url).resolve('@chdb/lib-linux-x64-gnu/libchdb.so');
open({ library: 'libc', path: 'libc.so.6' });
open({ library: 'chdb', path });
const base = BigInt(`0x${/^([0-9a-f]+)-/.exec(mapsOf(path)[0] ?? '')?.[1]}`);

expectBytes(GET_ADDRESS, bytes(GET_ADDRESS_CODE));
expectBytes(IS_DDL_ALLOWED, bytes(IS_DDL_ALLOWED_CODE));
expectBytes(GET_SERVER_UUID, bytes(GET_SERVER_UUID_CODE));
expectBytes(CREATE_POOL, bytes(CREATE_POOL_CODE));
expectBytes(CREDENTIALS, bytes(CREDENTIALS_CODE));
expectBytes(LISTENER, bytes(LISTENER_CODE));
expectBytes(FACTORY_NAME, Buffer.from(FACTORY));
const port = readFileSync('interserver-port', 'utf8');
patch(GET_ADDRESS, getAddress(Number(port)));
patch(SERVER_UUID, createHash('sha256').update(port).digest().subarray(0, 16));
patch(IS_DDL_ALLOWED, bytes('b8 01 00 00 00 c3')); // mov eax, 1; ret
patch(CREATE_POOL, jump(0xe9, CREATE_POOL, DROP_POOL));
patch(CAVE, cave());
patch(LISTENER, [...jump(0xe9, LISTENER, CAVE), ...bytes('0f 1f 44 00 00')]);
patch(CREDENTIALS_CAVE, credentials());
patch(CREDENTIALS, [...jump(0xe9, CREDENTIALS, CREDENTIALS_CAVE), ...bytes('66 90')]);
await import(join(ROOT, 'dist/clickhouse-embedded.js'));

/** Writes the string (inline: 23 bytes, then its length) and the port behind it to the address in rdi. */
function getAddress(port) {
  const host = Buffer.from('127.0.0.2');
  return [
    ...[...bytes('48 b8'), ...host.subarray(0, 8)], // mov rax, "127.0.0."
    ...bytes('48 89 07'), // mov [rdi], rax
    ...bytes('48 c7 47 08 32 00 00 00'), // mov qword [rdi+8], "2"
    ...bytes('48 b8 00 00 00 00 00 00 00 09 48 89 47 10'), // mov rax, the length << 56; mov [rdi+0x10], rax
    ...[...bytes('66 c7 47 18'), port & 0xff, port >> 8], // mov word [rdi+0x18], port
    ...bytes('48 8b 06 c7 80 70 01 00 00'), // mov rax, [rsi]; mov dword [rax+0x170], "http": the scheme
    ...Buffer.from('http'),
    ...bytes('c6 80 87 01 00 00 04'), // mov byte [rax+0x187], its length
    ...bytes('48 89 f8 c3'), // mov rax, rdi; ret
  ];
}

/** What LISTENER did; then, if the ninth character of the host at r15 is 2, rcx becomes the address of another name. */
function cave() {
  const name = CAVE + 0x40;
  const code = [...bytes(LISTENER_CODE), ...bytes('41 80 7f 08 32 75 07')]; // cmp byte [r15+8], '2'; jne over lea
  code.push(...bytes('48 8d 0d'), ...int32(name - (CAVE + code.length + 7))); // lea rcx, [rip + name]
  code.push(...jump(0xe9, CAVE + code.length, LISTENER + 10));
  const string = Buffer.alloc(24); // address, length, capacity with the bit of strings that are not inline
  string.writeBigUInt64LE(base + BigInt(FACTORY_NAME), 0);
  string.writeBigUInt64LE(BigInt(FACTORY.length), 8);
  string.writeBigUInt64LE((1n << 63n) | 0x28n, 16);
  return [...code, ...Buffer.alloc(0x40 - code.length), ...string];
}

/** What CREDENTIALS did; then, if rax is 0, it becomes the address of an empty name and an empty password. */
function credentials() {
  const code = [...bytes(CREDENTIALS_CODE), ...bytes('48 85 c0 75 07')]; // test rax, rax; jne over lea
  const strings = CREDENTIALS_CAVE + 0x20;
  code.push(...bytes('48 8d 05'), ...int32(strings - (CREDENTIALS_CAVE + code.length + 7))); // lea rax, [rip + strings]
  code.push(...jump(0xe9, CREDENTIALS_CAVE + code.length, CREDENTIALS + 7));
  return [...code, ...Buffer.alloc(0x20 - code.length), ...Buffer.alloc(48)];
}

function jump(opcode, from, to) {
  return [opcode, ...int32(to - (from + 5))];
}

function int32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}

function bytes(text) {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function expectBytes(place, expected) {
  const found = Buffer.alloc(expected.length);
  void call('memcpy', [found, base + BigInt(place), expected.length]);
  if (!found.equals(expected))
    throw new Error(`another build of the engine: see ${import.meta.url}`);
}

function patch(place, code) {
  const first = Math.floor(place / PAGE) * PAGE;
  const length = Math.ceil((place + code.length) / PAGE) * PAGE - first;
  if (call('mprotect', [base + BigInt(first), length, ALL]) !== 0)
    throw new Error('mprotect() failed');
  void call('memcpy', [base + BigInt(place), Buffer.from(code), code.length]);
}

function call(name, values) {
  const typeOf = (value) => (Buffer.isBuffer(value) ? DataType.U8Array : DataType.I64);
  return load({
    ...{
      library: 'libc',
      funcName: name,
      retType: name === 'mprotect' ? DataType.I32 : DataType.Void,
    },
    paramsType: values.map(typeOf),
    paramsValue: values.map((value) => (typeof value === 'bigint' ? Number(value) : value)),
  });
}

function mapsOf(file) {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(file));
}
