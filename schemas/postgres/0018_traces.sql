-- The work that made an audit event, so that whoever tells others of it later goes on with its trace.

alter table rooftree.audit_event add column traceparent text;
comment on column rooftree.audit_event.traceparent is 'The work that made it, if that was traced; no part of the event, and not sealed';
