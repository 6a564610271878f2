-- The sample campaign that the first start offers: it calls over the simulated carrier, whatever trunks there are.
alter table campaign add column is_sample boolean not null default false;

-- The campaign whose simulated agent this account is; null = a person's. Such an account has no password.
alter table agent add column simulated_for bigint references campaign (id);
