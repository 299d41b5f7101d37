/**
 * The page `/open/<id>`: reads a trace from this service and hands it to the Perfetto UI by postMessage, as Perfetto's
 * documentation describes. The UI itself may fetch traces from few origins only.
 */
import { api } from './api.ts';
import { byId } from './dom.ts';
import { requireLogin } from './login/login.ts';

const PING_MS = 100;

const status = byId('status', HTMLElement);
const open = byId('open', HTMLButtonElement);

/** The fragment is the base64url of the trace address. */
function nameOf(id: string): string {
  const binary = atob(id.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes).split('/').at(-1) ?? 'trace';
}

/** Resolves when the UI in the window has answered. */
async function untilReady(ui: Window, origin: string): Promise<void> {
  const ready = new Promise<void>((resolve) => {
    addEventListener('message', ({ source, data }) => {
      if (source === ui && data === 'PONG') resolve();
    });
  });
  const timer = setInterval(() => ui.postMessage('PING', origin), PING_MS);
  await ready;
  clearInterval(timer);
}

async function handOver(
  buffer: ArrayBuffer,
  name: string,
  { href: url, origin }: URL,
): Promise<void> {
  const ui = window.open(url);
  if (ui === null) throw new Error('the browser did not open a window for the Perfetto UI');
  status.textContent = 'Waiting for the Perfetto UI …';
  await untilReady(ui, origin);
  ui.postMessage({ perfetto: { buffer, title: name, fileName: name } }, origin);
  status.textContent = 'The trace is open in the Perfetto UI.';
}

async function main(): Promise<void> {
  const id = location.hash.slice(1);
  const name = nameOf(id);
  byId('name', HTMLElement).textContent = name;
  document.title = name;
  const [{ perfettoUi }, buffer] = await Promise.all([api.opener(), api.trace(id, name)]);
  status.textContent = `Read ${buffer.byteLength} bytes.`;
  // Browsers let a page open a window only for a click.
  open.addEventListener(
    'click',
    () => void handOver(buffer, name, new URL(perfettoUi, location.href)).catch(failed),
  );
  open.hidden = false;
  open.focus();
}

function failed(error: unknown): void {
  status.textContent = error instanceof Error ? error.message : String(error);
}

requireLogin();
main().catch(failed);
