/** `bigtrace engine`: installs engines, and chooses the one that services use from their next start on. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { BigtraceError } from '../../lib/common/errors.ts';
import {
  BUNDLED,
  BUNDLED_DIRECTORY,
  chosenEngine,
  directoryOf,
  engineInUse,
  enginesDirectory,
  inUseFile,
  isEngineName,
  WASM64,
} from '../../lib/engine/engine-choice.ts';
import { type Engine, hasMemory64, loadEngine } from '../../lib/engine/index.ts';
import { SAMPLE_TRACES } from '../paths.ts';
import { addEngine } from './add.ts';
import { checkEngines, type EngineComparison } from './check.ts';
import { compileCommand } from './compile.ts';
import { progressOn, stepsOn } from './progress.ts';
import { sourceOf, UPSTREAM } from './sources.ts';

const LATER = 'Services use it from their next start on.';

interface Flags {
  dataDir: string;
}

export function engineCommand(dataDir: string): Command {
  const dataDirOption = (): Option =>
    new Option('--data-dir <dir>', 'data directory, in which engines are installed')
      .env('BIGTRACE_DATA_DIR')
      .default(dataDir);
  const sub = (name: string, description: string): Command =>
    new Command(name).description(description).addOption(dataDirOption());
  return new Command('engine')
    .description('install TraceProcessor engines, and choose the one to use')
    .addCommand(sub('list', 'print the engines as JSON').action((flags: Flags) => list(flags)))
    .addCommand(addCommand(sub))
    .addCommand(
      compileCommand(sub('compile', 'compile an engine to machine code, which is faster than V8')),
    )
    .addCommand(
      sub('use', 'choose the engine that services use from their next start on')
        .argument('<name>', `name of an installed engine, or \`${BUNDLED}\``)
        .action((name: string, flags: Flags) => use(name, flags)),
    )
    .addCommand(
      sub('remove', 'remove an installed engine')
        .argument('<name>')
        .action((name: string, flags: Flags) => remove(name, flags)),
    )
    .addCommand(
      sub(
        'check',
        'run the same queries on the sample traces in two engines, and print the differences',
      )
        .argument('<name>', 'name or directory of an engine')
        .argument('[other]', 'the engine to compare it with (default: the one in use)')
        .option(
          '--traces <dir>',
          'directory of traces to use instead of the samples',
          SAMPLE_TRACES,
        )
        .action((name: string, other: string | undefined, flags: Flags & { traces: string }) =>
          check(name, other, flags),
        ),
    );
}

function addCommand(sub: (name: string, description: string) => Command): Command {
  return sub('add', 'install an engine')
    .argument(
      '<what>',
      'directory or URL with trace_processor.wasm, or a version of Perfetto, such as v52.0-6b9586def',
    )
    .option('--name <name>', 'name of the engine (default: its version)')
    .addOption(
      new Option('--mirror <url>', 'site from which versions are downloaded')
        .env('BIGTRACE_ENGINE_MIRROR')
        .default(UPSTREAM),
    )
    .action(async (what: string, flags: Flags & { name?: string; mirror: string }) => {
      const source = await sourceOf(what, flags.mirror.replace(/\/+$/, ''));
      const progress = progressOn(process.stderr);
      const added = await addEngine(flags.dataDir, source, flags.name, progress.show).finally(
        progress.end,
      );
      if (added.trust === 'new')
        console.error('bigtrace: its digests were unknown; they are recorded in engines/lock.json');
      const { name, version } = added;
      console.log(
        `Engine ${name} (${version}) is installed; \`bigtrace engine use ${name}\` chooses it.`,
      );
    });
}

function list({ dataDir }: Flags): void {
  const inUse = engineInUse(dataDir);
  const directory = enginesDirectory(dataDir);
  const names = existsSync(directory)
    ? readdirSync(directory).filter((name) => existsSync(join(directory, name, 'engine.json')))
    : [];
  const engines = [BUNDLED, ...names.toSorted()].map((name) => ({
    name,
    inUse: name === inUse,
    has64BitMemory: existsSync(join(directoryOf(name, dataDir), WASM64)),
    ...(name === BUNDLED
      ? { version: bundledVersion() }
      : JSON.parse(readFileSync(join(directory, name, 'engine.json'), 'utf8'))),
  }));
  console.log(JSON.stringify(engines, null, 2));
}

function bundledVersion(): string {
  const file = join(BUNDLED_DIRECTORY, 'VERSION');
  return existsSync(file) ? (/v\d+\.\d+/.exec(readFileSync(file, 'utf8'))?.[0] ?? '') : '';
}

function use(name: string, { dataDir }: Flags): void {
  if (!isEngineName(name))
    throw new BigtraceError(
      'invalid_option',
      `${name} is no name of an engine; --engine takes directories`,
    );
  chosenEngine(name, dataDir);
  const file = inUseFile(dataDir);
  if (name === BUNDLED) rmSync(file, { force: true });
  else {
    writeFileSync(`${file}.${process.pid}`, `${name}\n`);
    renameSync(`${file}.${process.pid}`, file);
  }
  console.log(`Engine ${name} is in use. ${LATER}`);
}

function remove(name: string, { dataDir }: Flags): void {
  const directory = join(enginesDirectory(dataDir), name);
  if (!isEngineName(name) || !existsSync(join(directory, 'engine.json')))
    throw new BigtraceError('invalid_option', `there is no installed engine ${name}`);
  if (engineInUse(dataDir) === name)
    throw new BigtraceError(
      'invalid_option',
      `engine ${name} is in use: choose another one first (\`bigtrace engine use ${BUNDLED}\`)`,
    );
  rmSync(directory, { recursive: true });
  console.log(`Engine ${name} is removed.`);
}

async function check(
  name: string,
  other: string | undefined,
  { dataDir, traces }: Flags & { traces: string },
): Promise<void> {
  const [one, two] = [chosenEngine(name, dataDir), chosenEngine(other, dataDir)];
  const engine = await loadEngine(one.wasm);
  const beside = await loadEngine(two.wasm);
  compare(`${engine.version} and ${beside.version}`, engine, beside, traces);
  if (one.wasm64 === undefined) return;
  if (!hasMemory64()) {
    console.error('bigtrace: its 64-bit memory is not checked: Node 24 or later can run it');
    return;
  }
  const wide = await loadEngine(one.wasm64);
  compare(`${engine.version} with 32-bit and 64-bit memory`, engine, wide, traces);
}

function compare(what: string, one: Engine, other: Engine, traces: string): void {
  const steps = stepsOn(process.stderr);
  const comparison = checkEngines(one, other, traces, steps.show);
  steps.end();
  report(what, comparison);
}

/** Prints the differences; with any, the exit code is 1. */
function report(what: string, { results, differences }: EngineComparison): void {
  console.log(`${what}: ${results} results, ${differences.length} differ`);
  for (const { trace, sql, one, other } of differences)
    console.log(`${trace}: ${sql}\n  ${one}\n  ${other}`);
  if (differences.length > 0) process.exitCode = 1;
}
