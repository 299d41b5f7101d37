import type { Options } from '@grpc/proto-loader';

export declare const LOADER_OPTIONS: Options;
