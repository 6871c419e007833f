-- What the parts of a deployment know of each other, and what each of them may do.

create table rooftree.log_loss (
    consumer_group text not null,
    topic text not null,
    partition_id integer not null,
    log_id text not null,
    reason text not null,
    noticed_at timestamptz not null default now(),
    primary key (consumer_group, topic, partition_id)
);
comment on table rooftree.log_loss is 'One row a partition that is not read on, since the broker has lost unread records of it and policy is to stop; gone when it is read on';
