-- One said what the trigger of the spans keeps anyway, of the history; the other found records by a mark that is made no more.
drop index concurrently if exists rooftree.account_history_one_open_row;
drop index concurrently if exists rooftree.outbox_unsent;
