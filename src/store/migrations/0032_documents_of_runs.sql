-- What an execution stored is told of at its end.
CREATE INDEX document_by_run ON document (run_id);
