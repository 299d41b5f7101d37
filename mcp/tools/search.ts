/** The tool `search`: views of Bigtrace, presets, and the tables, functions and modules of the engine. */
import { z } from 'zod';
import type { Access } from '../access.ts';
import { engineNames } from './engine-names.ts';
import { type AddTool, READS, resultOf, type ToolContext } from './tool.ts';

const KINDS = ['view', 'preset', 'table', 'function', 'module'] as const;
const FOUND_MAX = 200;

interface Found {
  kind: (typeof KINDS)[number];
  name: string;
  description?: string | undefined;
  example?: string | undefined;
  columns?: string | undefined;
}

export const addSearch: AddTool = (server, context) => {
  server.registerTool(
    'search',
    {
      title: 'Search names',
      description:
        'Finds names for a script, by words that its name or description contains: presets (ready scripts), tables, ' +
        'functions and modules of PerfettoSQL, and the views of ClickHouse.',
      inputSchema: {
        text: z.string().max(200).describe('words; all of them must occur. Empty: everything'),
        kinds: z.array(z.enum(KINDS)).optional().describe('only these kinds'),
        limit: z.number().int().min(1).max(FOUND_MAX).default(50),
      },
      annotations: READS,
    },
    ({ text, kinds = [...KINDS], limit }, { signal }) =>
      resultOf(async () => {
        const words = text.toLowerCase().split(/\s+/).filter(Boolean);
        const all = await everything(context, signal);
        const found = all.filter((one) => kinds.includes(one.kind) && matches(one, words));
        return { found: found.slice(0, limit), total: found.length };
      }),
  );
};

async function everything(context: ToolContext, signal: AbortSignal): Promise<Found[]> {
  const { access } = context;
  const [views, vocabulary] = await Promise.all([
    viewsOf(access, signal),
    access.vocabulary(signal),
  ]);
  const presets = context.presets.map(
    ({ name, description, perfettoSql }): Found => ({
      ...{ kind: 'preset', name, description, example: perfettoSql },
    }),
  );
  return [...presets, ...engineNames(vocabulary), ...views];
}

async function viewsOf(access: Access, signal: AbortSignal): Promise<Found[]> {
  const rows = await access.rows(
    "SELECT signature, purpose, example FROM bigtrace.help WHERE example != ''",
    { signal },
  );
  return rows.map(([signature, purpose, example]) => ({
    kind: 'view',
    name: signature ?? '',
    description: purpose ?? '',
    example: example ?? '',
  }));
}

function matches({ name, description = '' }: Found, words: readonly string[]): boolean {
  const text = `${name} ${description}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
