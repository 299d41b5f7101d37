/** gRPC options of the project. The bridge imports them without the services, which take long to load. */
import type * as grpc from '@grpc/grpc-js';

/** Both sides allow messages up to 2 GiB - 1, as upstream does. */
export const MESSAGE_BYTES_MAX = 2 ** 31 - 1;

/** HTTP/2 receive window. The default of 64 KiB would limit a stream to 6 MB/s at a round-trip time of 10 ms. */
export const RECEIVE_WINDOW_BYTES = 2 ** 20;

/** Channel and server options that every client and server of the project uses. */
export const GRPC_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
};

/** gRPC's own pause between attempts to connect grows to 120 s, so a restarted service would be unreachable that long. */
export const PROMPT_RECONNECT: grpc.ChannelOptions = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
};
