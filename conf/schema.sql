-- The talks that can be rated: empty at first. May be loaded again at any time.
set client_min_messages = warning;

create table if not exists talks (
    id    serial primary key,
    uuid  varchar(255) unique not null,
    title varchar(255) not null
);
