/**
 * Generates a small Android trace: two apps start and draw frames, one stops responding, and one has a Java heap. It
 * contains only the data that Perfetto's SQL modules for Android read.
 */
import { field, message } from './proto.ts';

const SYSTEM = { pid: 1000, name: 'system_server' };
const NOTES = { pid: 2000, name: 'com.example.notes' };
const MAPS = { pid: 3000, name: 'com.example.maps' };
const RENDER_THREAD = 1; // added to the pid of a process, this is the tid of its render thread

const MS = 1_000_000;
const ERROR_ID = '6f1dd7a5-5b0a-4f0e-8f57-6a2b3a1c9d10';

/** A line that a thread writes for atrace at a time in ms. */
type Mark = [ms: number, tid: number, line: string];

export function androidTrace(): Buffer {
  return Buffer.concat([
    packet(processTree()),
    packet(ftrace([...startups(), ...frames(), ...anr()])),
    ...frameTimeline(),
    packet(field(8, 900 * MS), heapGraph()),
  ]);
}

const packet = (...fields: Buffer[]): Buffer => message(1, field(10, 1), ...fields);

function processTree(): Buffer {
  const processes = [SYSTEM, NOTES, MAPS].map(({ pid, name }) =>
    message(1, field(1, pid), field(2, 1), field(3, name), field(5, 10_000 + pid)),
  );
  const threads = [NOTES, MAPS].map(({ pid }) =>
    message(2, field(1, pid + RENDER_THREAD), field(2, 'RenderThread'), field(3, pid)),
  );
  return message(2, ...processes, ...threads);
}

function ftrace(marks: Mark[]): Buffer {
  const events = marks
    .toSorted(([a], [b]) => a - b)
    .map(([ms, tid, line]) =>
      message(2, field(1, ms * MS), field(2, tid), message(3, field(2, `${line}\n`))),
    );
  return message(1, field(1, 0), ...events);
}

/** Returns the begin and end lines of a slice. */
function slice(fromMs: number, toMs: number, pid: number, tid: number, name: string): Mark[] {
  return [
    [fromMs, tid, `B|${pid}|${name}`],
    [toMs, tid, `E|${pid}`],
  ];
}

function startups(): Mark[] {
  const started: [id: number, app: typeof NOTES, type: string, fromMs: number, toMs: number][] = [
    [1, NOTES, 'cold', 100, 420],
    [2, MAPS, 'warm', 500, 640],
    [3, NOTES, 'hot', 700, 730],
  ];
  return started.flatMap(([id, app, type, fromMs, toMs]): Mark[] => [
    [fromMs, SYSTEM.pid, `S|${SYSTEM.pid}|launchingActivity#${id}|${id}`],
    [toMs, SYSTEM.pid, `F|${SYSTEM.pid}|launchingActivity#${id}|${id}`],
    [toMs, SYSTEM.pid, `I|${SYSTEM.pid}|launchingActivity#${id}:completed-${type}:${app.name}`],
    ...slice(fromMs + 5, fromMs + 20, app.pid, app.pid, 'bindApplication'),
  ]);
}

/** Four frames of each app, with vsync ID and times in ms. */
const FRAMES = [NOTES, MAPS].flatMap((app, nth) =>
  [0, 1, 2, 3].map((n) => {
    const fromMs = 200 + 400 * nth + 17 * n;
    return { app, vsync: 101 + 10 * nth + n, fromMs, toMs: fromMs + 9 + 4 * n };
  }),
);

function frames(): Mark[] {
  return FRAMES.flatMap(({ app: { pid }, vsync, fromMs, toMs }) => [
    ...slice(fromMs, fromMs + 4, pid, pid, `Choreographer#doFrame ${vsync}`),
    ...slice(fromMs + 4, toMs, pid, pid + RENDER_THREAD, `DrawFrames ${vsync}`),
  ]);
}

/** Returns the frame timeline events of SurfaceFlinger: the expected and the actual timeline of each frame. */
function frameTimeline(): Buffer[] {
  return FRAMES.flatMap(({ app: { pid, name }, vsync, fromMs, toMs }) => {
    const frame = [field(2, vsync), field(3, vsync + 1000), field(4, pid)];
    const layer = field(5, `TX - ${name}/MainActivity#${pid}`);
    const [expected, actual] = [2 * vsync, 2 * vsync + 1];
    const event = (ms: number, body: Buffer): Buffer =>
      packet(field(8, ms * MS), message(76, body));
    const late = toMs - fromMs > 16;
    const outcome = [field(6, late ? 2 : 1), field(7, late ? 0 : 1), field(9, late ? 64 : 1)];
    return [
      event(fromMs, message(3, field(1, expected), ...frame, layer)),
      event(fromMs, message(4, field(1, actual), ...frame, layer, ...outcome)),
      event(fromMs + 16, message(5, field(1, expected))),
      event(toMs, message(5, field(1, actual))),
    ];
  });
}

function anr(): Mark[] {
  const counters = [
    `ErrorId:${MAPS.name} ${MAPS.pid}#${ERROR_ID}`,
    `Subject(for ErrorId ${ERROR_ID}):Input dispatching timed out (${MAPS.name}/.MainActivity is not responding)`,
  ];
  return counters.map((name) => [850, SYSTEM.pid, `C|${SYSTEM.pid}|${name}|1`]);
}

/** Returns a heap graph in which a root holds a list of three strings. */
function heapGraph(): Buffer {
  const [list, text] = [1, 2];
  const types = [
    message(9, field(1, list), field(3, 'java.util.ArrayList'), field(4, 24)),
    message(9, field(1, text), field(3, 'java.lang.String'), field(4, 16)),
  ];
  const elements = field(4, Buffer.concat([field(1, 1), field(2, 'java.lang.Object[] elements')]));
  const strings = [11, 12, 13].map((id) => message(2, field(1, id), field(2, text), field(3, 40)));
  const held = [field(4, Buffer.of(1, 1, 1)), field(5, Buffer.of(11, 12, 13))];
  const holder = message(2, field(1, 10), field(2, list), field(3, 64), ...held);
  const root = message(7, field(1, Buffer.of(10)), field(2, 9));
  const end = [field(5, 0), field(6, 0)];
  return message(56, field(1, NOTES.pid), ...types, elements, holder, ...strings, root, ...end);
}
