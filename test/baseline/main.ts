/** `npm run baseline`: runs every query over all ways and compares the results with the digests, or writes them. */
import { parseArgs } from 'node:util';
import { checkBaseline, showResult, writeBaseline } from './baseline.ts';

const SIGNALLED_EXIT = 130;

const USAGE = `usage: npm run baseline [-- --check] [QUERY…]
       npm run baseline -- --write [QUERY…]
       npm run baseline -- --show QUERY TRACE
* in QUERY matches any letters; without a QUERY, all run.`;

// process.exit runs the exit handlers that stop the started services.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(SIGNALLED_EXIT));

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean' },
      write: { type: 'boolean' },
      show: { type: 'boolean' },
    },
  });
  const modes = Object.keys(values);
  if (modes.length > 1 || (values.show && positionals.length !== 2)) throw new TypeError(USAGE);
  const [query = '', trace = ''] = positionals;
  if (values.show) await showResult(query, trace);
  else if (values.write) process.exitCode = await writeBaseline(positionals);
  else process.exitCode = await checkBaseline(positionals);
} catch (error) {
  console.error(error instanceof TypeError ? error.message : error);
  process.exitCode = 2;
}
