-- The talks that can be rated: empty at first. May be loaded again at any time.
set client_min_messages = warning;

create table if not exists talks (
    id    serial primary key,
    uuid  varchar(255) unique not null,
    title varchar(255) not null
);

-- A talk may have a window in which it can be rated, from opens_at until just before closes_at; NULL is no bound. Without
-- these columns, or one of them, there is none. They may be added and dropped while the service runs:
--   alter table talks add opens_at timestamptz, add closes_at timestamptz;
