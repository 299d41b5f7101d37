/**
 * Checks the packages that users install for known vulnerabilities (`npm audit`), and checks that the SBOM (sbom.mjs)
 * is complete. Fails on findings of LEVELS. Registry mirrors often have no audit endpoint: that is reported and is not
 * a failure.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { passedOn, sbom } from './sbom.mjs';

const LEVELS = ['high', 'critical'];
/** Status codes of a registry without an audit endpoint: not found, method not allowed, not implemented. */
const NO_ENDPOINT = [404, 405, 501];

/**
 * Decides whether the audit passes, and returns the text to print.
 * @param report the output of `npm audit --json`
 */
export function retryDecision(report) {
  const { vulnerabilities, statusCode, message } = report;
  if (NO_ENDPOINT.includes(statusCode))
    return { ok: true, text: `audit: this registry could not be asked: ${message}` };
  if (vulnerabilities === undefined)
    return { ok: false, text: `audit: npm audit failed: ${JSON.stringify(report)}` };
  const severe = Object.values(vulnerabilities).filter(({ severity }) => LEVELS.includes(severity));
  const lines = severe.map(({ name, range, severity }) => `  ${severity}: ${name} ${range}`);
  return {
    ok: severe.length === 0,
    text: [`audit: ${severe.length} findings of ${LEVELS.join(' or ')}`, ...lines].join('\n'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { stdout } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { encoding: 'utf8' });
  const { ok, text } = retryDecision(JSON.parse(stdout));
  console.log(text);
  const listed = new Set(sbom().components.map(({ purl }) => decodeURIComponent(purl)));
  const missing = passedOn().filter((purl) => !listed.has(purl));
  console.log(`sbom: ${listed.size} packages, ${missing.length} missing ${missing.join(' ')}`);
  process.exitCode = ok && missing.length === 0 ? 0 : 1;
}
