// Original file: bigtrace.proto


export interface LearnResponseInput {
}

export interface LearnResponse {
}
