/** The environment variable that says which orchestrator to ask. */
import { BigtraceError } from '../errors.ts';

export const ORCHESTRATOR_VARIABLE = 'BIGTRACE_ORCHESTRATOR';
/** What Perfetto's deployment guide sets for the same purpose. */
export const UPSTREAM_ORCHESTRATOR_VARIABLE = 'BIGTRACE_ORCHESTRATOR_ADDRESS';

/**
 * The name of the variable to read; an empty variable counts as unset.
 * @throws invalid_option when both are set, to different addresses
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
