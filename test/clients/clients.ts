/** The clients of the matrix: the program that asks all questions, and the example of the page in docs/clients. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';
import { type Built, buildGo, buildJdbc, buildRust, CACHE } from './compilers.ts';
import { pythonPrograms } from './python-environment.ts';

const PROGRAMS = join(ROOT, 'test/clients/programs');

export interface Client {
  /** Page in docs/clients, language of its example, and which block of that language it is. */
  page: string;
  language: string;
  nth: number;
  /** Only run if it is named: it takes long to install or to build. */
  isDear: boolean;
  build(example: string): Built;
}

function script(name: string, file: string, interpreter: () => string): Client['build'] {
  return (example) => {
    const path = join(CACHE, `example-${name}${file.slice(file.lastIndexOf('.'))}`);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(path, example);
    return { program: [interpreter(), join(PROGRAMS, file)], example: [interpreter(), path] };
  };
}

function python(name: string, nth: number, file: string): Client {
  const build = script(name, file, () => join(pythonPrograms('requirements-lock.txt'), 'python'));
  return { page: 'python-clickhouse.md', language: 'python', nth, isDear: false, build };
}

const node = (): string => process.execPath;

export const CLIENTS: Record<string, Client> = {
  native: {
    ...{ page: 'native.md', language: 'sh', nth: 0, isDear: false },
    build: (example) => ({
      program: [node(), join(PROGRAMS, 'native_client.mjs')],
      example: ['sh', '-c', example],
    }),
  },
  node: {
    ...{ page: 'node.md', language: 'js', nth: 0, isDear: false },
    build: script('node', 'node_client.mjs', node),
  },
  connect: python('connect', 0, 'clickhouse_connect_client.py'),
  driver: python('driver', 1, 'clickhouse_driver_client.py'),
  asynch: python('asynch', 2, 'asynch_client.py'),
  sqlalchemy: python('sqlalchemy', 3, 'sqlalchemy_client.py'),
  ibis: {
    ...{ page: 'ibis.md', language: 'python', nth: 0, isDear: true },
    build: script('ibis', 'ibis_client.py', () =>
      join(pythonPrograms('requirements-dear-lock.txt'), 'python'),
    ),
  },
  jdbc: { page: 'jdbc.md', language: 'java', nth: 0, isDear: true, build: buildJdbc },
  go: { page: 'go.md', language: 'go', nth: 0, isDear: true, build: buildGo },
  rust: { page: 'rust.md', language: 'rust', nth: 0, isDear: true, build: buildRust },
};
