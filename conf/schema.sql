-- The talks that can be rated: empty at first. May be loaded again at any time, also by `ratingsctl talks migrate`.
set client_min_messages = warning;

create table if not exists talks (
    id    serial primary key,
    uuid  varchar(255) unique not null,
    title varchar(255) not null
);

-- The service needs uuid alone. What else is known of a talk; each of these columns may be missing, and may be added and
-- dropped while the service runs. A talk can be rated from opens_at until just before closes_at; NULL is no bound.
alter table talks
    add column if not exists speakers  text[],
    add column if not exists room      text,
    add column if not exists track     text,
    add column if not exists starts_at timestamptz,
    add column if not exists ends_at   timestamptz,
    add column if not exists opens_at  timestamptz,
    add column if not exists closes_at timestamptz,
    add column if not exists language  text,
    add column if not exists url       text;
