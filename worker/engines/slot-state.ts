/**
 * The life of a slot: one thread with one TraceProcessor that holds at most one trace. The only way out
 * of `gone` is a new slot.
 */
export type EngineState =
  /** No trace; whatever the instance holds is wiped before the next one. */
  | { is: 'empty' }
  | { is: 'loading'; key: string }
  /** Idle, holding the trace as it was parsed. */
  | { is: 'loaded'; key: string }
  | { is: 'querying'; key: string; mutatesState: boolean }
  /** A script may have changed what others would see: not to be asked again before it is restored. */
  | { is: 'dirty'; key: string }
  /** The engine trapped, or passed its bound of memory: good for nothing but another trace. */
  | { is: 'poisoned' }
  /** Its thread has ended. */
  | { is: 'gone'; why: string };

export type EngineEvent =
  | { event: 'load'; key: string }
  | { event: 'loadDone' }
  | { event: 'loadFailed' }
  /** The key of the trace that is meant to answer. */
  | { event: 'query'; key: string; mutatesState: boolean }
  | { event: 'queryDone' }
  | { event: 'restored' }
  | { event: 'poison' }
  | { event: 'end'; why: string };

/** The next state. @throws Error where the event cannot happen in the state: a bug. */
export function nextEngineState(state: EngineState, event: EngineEvent): EngineState {
  switch (event.event) {
    case 'load': // over whatever an idle slot holds
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
      if (state.key !== event.key) throw new Error('a slot that holds another trace cannot query');
      return { is: 'querying', key: state.key, mutatesState: event.mutatesState };
    case 'queryDone': // well or with an error: half a script leaves marks too
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
      return state.is === 'gone' ? state : { is: 'gone', why: event.why };
  }
  throw new Error(`a slot that is ${state.is} cannot ${event.event}`);
}
