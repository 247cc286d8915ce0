-- A dozen talks to try the service with: for development, never for production. May be loaded again at any time.

-- Where there is any talk, whoever tries the service has made their own: by ratingsctl talks import, the dozen is gone.
insert into talks (uuid, title)
select uuid, title
from (values
    ('testcontainers-integration-testing', 'Modern Integration Testing with Testcontainers'),
    ('flight-of-the-gopher', 'A look at Go scheduler'),
    ('postgres-under-the-hood', 'What PostgreSQL Does When You Press Enter'),
    ('kafka-exactly-once', 'Exactly Once, and Other Promises'),
    ('redis-beyond-the-cache', 'Redis Beyond the Cache'),
    ('http-caching-in-depth', 'Caching: The Part of HTTP Nobody Reads'),
    ('event-sourcing-in-practice', 'Event Sourcing after Five Years in Production'),
    ('c-for-the-next-decade', 'Writing C for the Next Decade'),
    ('observability-on-a-budget', 'Observability on a Budget'),
    ('lambda-cold-starts', 'Cold Starts, Measured'),
    ('unicode-for-the-impatient', 'Unicode for the Impatient: Grüße, 你好, 👋'),
    ('the-art-of-the-postmortem', 'The Art of the Postmortem')
) as dozen (uuid, title)
where not exists (select from talks);
