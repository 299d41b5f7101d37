/** The sessions of clients over HTTP: each has a ClickHouse login of its own. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Preset } from '../http-api/contract/page.ts';
import { Access } from './access.ts';
import type { McpConfig } from './config.ts';
import { OpenSessions } from './open-sessions.ts';
import { refuse } from './refusal.ts';
import { keptTables, Runs } from './runs.ts';
import { createMcpServer } from './server.ts';

interface Session {
  transport: StreamableHTTPServerTransport;
  access: Access;
  runs: Runs;
  /** Digest of the login that began it. */
  login: Buffer;
}

const SESSIONS_MAX = 200;
const IDLE_MS_MAX = 3_600_000;
const LOGIN_MS_MAX = 10_000;

export class Sessions {
  readonly #config: McpConfig;
  readonly #presets: readonly Preset[];
  readonly #tables = keptTables();
  readonly #sessions = new OpenSessions<Session>(
    SESSIONS_MAX,
    IDLE_MS_MAX,
    (session) => void end(session),
  );

  constructor(config: McpConfig, presets: readonly Preset[]) {
    this.#config = config;
    this.#presets = presets;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const login = loginOf(request.headers.authorization);
    if (login === undefined)
      return refuse(response, 401, 'log in as a user of ClickHouse, with Authorization: Basic', {
        'WWW-Authenticate': 'Basic realm="bigtrace", charset="UTF-8"',
      });
    const id = request.headers['mcp-session-id'];
    if (id === undefined) return this.#begin(login, request, response);
    const session = this.#sessions.get(String(id));
    if (session === undefined || !timingSafeEqual(session.login, digestOf(login)))
      return refuse(response, 404, 'there is no such session; begin another');
    this.#sessions.opened(String(id));
    response.once('close', () => this.#sessions.closed(String(id)));
    await session.transport.handleRequest(request, response);
  }

  async close(): Promise<void> {
    const all = this.#sessions.all();
    await Promise.all(all.map(({ transport }) => transport.close()));
    this.#sessions.clear();
  }

  async #begin(login: Login, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clickhouseUrl, orchestrator, orchestratorCredentials: credentials } = this.#config;
    const access = new Access({ ...login, clickhouseUrl, orchestrator, credentials });
    try {
      await access.rows('SELECT currentUser()', { signal: AbortSignal.timeout(LOGIN_MS_MAX) });
    } catch (thrown) {
      await access.close();
      return refuse(response, 403, thrown instanceof Error ? thrown.message : String(thrown));
    }
    const { bounds, linkBase } = this.#config;
    const runs = new Runs(this.#tables);
    const server = createMcpServer({
      ...{ access, bounds, linkBase },
      ...{ runs, presets: this.#presets },
    });
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.add(id, { transport, access, runs, login: digestOf(login) });
        response.once('close', () => this.#sessions.closed(id));
      },
      onsessionclosed: (id) => {
        this.#sessions.delete(id);
      },
    });
    try {
      await server.connect(transport);
      await transport.handleRequest(request, response);
    } finally {
      if (transport.sessionId === undefined) await end({ transport, access, runs }); // it was no `initialize`
    }
  }
}

/** Aborts the tools of a session that run, and forgets its rows. */
async function end({ transport, access, runs }: Omit<Session, 'login'>): Promise<void> {
  await transport.close();
  await access.close();
  runs.clear();
}

interface Login {
  username: string;
  password: string;
}

function loginOf(authorization = ''): Login | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1
    ? undefined
    : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function digestOf({ username, password }: Login): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([username, password]))
    .digest();
}
