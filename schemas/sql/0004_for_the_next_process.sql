-- Where an agent's phone was when it signed in last, so that the next process finds it without waiting for
-- its registration. Worth nothing once the account has another user name or password.
create table phone_contact (
    agent_id bigint primary key,
    sip_user text not null,
    ha1_sha256 text not null,
    -- JSON.
    contacts text not null
);

-- Calls that a stop cut off and whose far end has not been told yet: what ends each, as JSON.
create table unended (
    id integer primary key,
    dialog text not null,
    cut_at bigint not null
);
