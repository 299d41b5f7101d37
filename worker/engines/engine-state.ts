/**
 * Defines the states of an engine thread, whose engine holds at most one trace, and their transitions. A
 * thread that is `gone` stays so; the pool starts a new one.
 */
export type EngineState =
  /** No trace; the engine is reset before the next one. */
  | { is: 'empty' }
  | { is: 'loading'; key: string }
  /** Idle; the engine holds the trace as it was parsed. */
  | { is: 'loaded'; key: string }
  | { is: 'querying'; key: string; mutatesState: boolean }
  /** A script may have changed what others would see: no query until the state is restored. */
  | { is: 'dirty'; key: string }
  /** The engine trapped, or exceeded its memory limit: it can only load another trace. */
  | { is: 'poisoned' }
  /** The thread has ended. */
  | { is: 'gone'; reason: string };

export type EngineEvent =
  | { event: 'load'; key: string }
  | { event: 'loadDone' }
  | { event: 'loadFailed' }
  /** `key`: the trace that the query is for. */
  | { event: 'query'; key: string; mutatesState: boolean }
  | { event: 'queryDone' }
  | { event: 'restored' }
  | { event: 'poison' }
  | { event: 'end'; reason: string };

/** Returns the next state. @throws Error if the event is not possible in the state, which is a bug */
export function nextEngineState(state: EngineState, event: EngineEvent): EngineState {
  switch (event.event) {
    case 'load': // replaces whatever an idle engine holds
      if (state.is !== 'loading' && state.is !== 'querying' && state.is !== 'gone')
        return { is: 'loading', key: event.key };
      break;
    case 'loadDone':
      if (state.is === 'loading') return { is: 'loaded', key: state.key };
      break;
    case 'loadFailed':
      if (state.is === 'loading') return { is: 'empty' };
      break;
    case 'query':
      if (state.is !== 'loaded') break;
      if (state.key !== event.key)
        throw new Error('an engine that holds another trace cannot run a query');
      return { is: 'querying', key: state.key, mutatesState: event.mutatesState };
    case 'queryDone': // with or without an error: half a script mutates state, too
      if (state.is === 'querying')
        return { is: state.mutatesState ? 'dirty' : 'loaded', key: state.key };
      break;
    case 'restored':
      if (state.is === 'dirty') return { is: 'loaded', key: state.key };
      break;
    case 'poison':
      if (state.is !== 'empty' && state.is !== 'gone') return { is: 'poisoned' };
      break;
    case 'end':
      return state.is === 'gone' ? state : { is: 'gone', reason: event.reason };
  }
  throw new Error(`an engine that is ${state.is} cannot ${event.event}`);
}
