// Original file: bigtrace.proto


export interface StatusRequestInput {
}

export interface StatusRequest {
}
