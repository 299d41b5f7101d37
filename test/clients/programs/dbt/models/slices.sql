{{ config(materialized='table', order_by='_trace_address') }}
SELECT _trace_address, name, dur
FROM bigtrace.bigtrace(traces = ['/local/linux/*'], sql = 'SELECT name, dur FROM slice')
