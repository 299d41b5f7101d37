/** Chooses the environment variable with the address of the orchestrator. */
import { BigtraceError } from '../errors.ts';

export const ORCHESTRATOR_VARIABLE = 'BIGTRACE_ORCHESTRATOR';
/** The name that Perfetto's deployment guide uses. */
export const UPSTREAM_ORCHESTRATOR_VARIABLE = 'BIGTRACE_ORCHESTRATOR_ADDRESS';

/**
 * Returns the name of the variable to read. An empty variable counts as unset.
 * @throws invalid_option if both are set to different addresses
 */
export function orchestratorVariable(env: NodeJS.ProcessEnv): string {
  const [ours, upstream] = [env[ORCHESTRATOR_VARIABLE], env[UPSTREAM_ORCHESTRATOR_VARIABLE]];
  if (!upstream) return ORCHESTRATOR_VARIABLE;
  if (ours && ours !== upstream)
    throw new BigtraceError(
      'invalid_option',
      `${ORCHESTRATOR_VARIABLE}=${ours} and ${UPSTREAM_ORCHESTRATOR_VARIABLE}=${upstream} ` +
        'name different orchestrators: unset one of them',
    );
  return ours ? ORCHESTRATOR_VARIABLE : UPSTREAM_ORCHESTRATOR_VARIABLE;
}
