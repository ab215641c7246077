-- Rights of Patchwork's roles, made by `patchwork grants`.
-- Run it as the owner of the tables, after each `patchwork migrate`:
--   psql -v web=www-data -v mail=nobody -v owner=patchwork_owner -f grant-all.postgres.sql patchwork
-- The owner is the current role unless it is named.
\set ON_ERROR_STOP on
\if :{?web}
\else
\set web www-data
\endif
\if :{?mail}
\else
\set mail nobody
\endif
\if :{?owner}
\else
SELECT current_user AS owner \gset
\endif
SELECT :'mail' IN (:'web', :'owner') AS is_shared \gset
\if :is_shared
\warn the role of the mail must be one of its own: it is allowed less than the others
\quit
\endif
BEGIN;

-- Only the owner makes and changes tables.
GRANT USAGE, CREATE ON SCHEMA public TO :"owner";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM :"web", :"mail";
GRANT USAGE ON SCHEMA public TO :"web", :"mail";

-- The site reads and writes every table.
GRANT SELECT, INSERT, UPDATE, DELETE ON site TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON account TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON person TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON project TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON maintainer TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON delegation_rule TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON state TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON tag TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON cover TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON series TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON series_reference TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON series_dependency TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON revision_sign TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON revision_link TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON unmet_dependency TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON tally TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_relation TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_body TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_tag TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON comment TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON bundle TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON bundle_patch TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_check TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON event TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON mail TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON awaited TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON email_confirmation TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON email_optout TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_change_notification TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON token TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factor TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_code TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON pending_login TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON unsubscribe TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON throttle TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON undo TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON account_group TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON group_member TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON group_permission TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON account_permission TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON audit TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON person_alias TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON project_alias TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON job TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON pulse TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_filter TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON review_claim TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_source TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON search_doc TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON search_wait TO :"web";
GRANT SELECT, INSERT, UPDATE, DELETE ON search_state TO :"web";

-- Mail does with a table what it has to, and no more.
REVOKE ALL ON site FROM :"mail";
REVOKE ALL ON account FROM :"mail";
REVOKE ALL ON person FROM :"mail";
REVOKE ALL ON project FROM :"mail";
REVOKE ALL ON maintainer FROM :"mail";
REVOKE ALL ON delegation_rule FROM :"mail";
REVOKE ALL ON state FROM :"mail";
REVOKE ALL ON tag FROM :"mail";
REVOKE ALL ON cover FROM :"mail";
REVOKE ALL ON series FROM :"mail";
REVOKE ALL ON series_reference FROM :"mail";
REVOKE ALL ON series_dependency FROM :"mail";
REVOKE ALL ON revision_sign FROM :"mail";
REVOKE ALL ON revision_link FROM :"mail";
REVOKE ALL ON unmet_dependency FROM :"mail";
REVOKE ALL ON tally FROM :"mail";
REVOKE ALL ON patch_relation FROM :"mail";
REVOKE ALL ON patch FROM :"mail";
REVOKE ALL ON patch_body FROM :"mail";
REVOKE ALL ON patch_tag FROM :"mail";
REVOKE ALL ON comment FROM :"mail";
REVOKE ALL ON bundle FROM :"mail";
REVOKE ALL ON bundle_patch FROM :"mail";
REVOKE ALL ON patch_check FROM :"mail";
REVOKE ALL ON event FROM :"mail";
REVOKE ALL ON mail FROM :"mail";
REVOKE ALL ON quarantine FROM :"mail";
REVOKE ALL ON awaited FROM :"mail";
REVOKE ALL ON email_confirmation FROM :"mail";
REVOKE ALL ON email_optout FROM :"mail";
REVOKE ALL ON patch_change_notification FROM :"mail";
REVOKE ALL ON token FROM :"mail";
REVOKE ALL ON session FROM :"mail";
REVOKE ALL ON second_factor FROM :"mail";
REVOKE ALL ON recovery_code FROM :"mail";
REVOKE ALL ON pending_login FROM :"mail";
REVOKE ALL ON unsubscribe FROM :"mail";
REVOKE ALL ON throttle FROM :"mail";
REVOKE ALL ON undo FROM :"mail";
REVOKE ALL ON account_group FROM :"mail";
REVOKE ALL ON group_member FROM :"mail";
REVOKE ALL ON group_permission FROM :"mail";
REVOKE ALL ON account_permission FROM :"mail";
REVOKE ALL ON audit FROM :"mail";
REVOKE ALL ON person_alias FROM :"mail";
REVOKE ALL ON project_alias FROM :"mail";
REVOKE ALL ON outbox FROM :"mail";
REVOKE ALL ON job FROM :"mail";
REVOKE ALL ON pulse FROM :"mail";
REVOKE ALL ON saved_filter FROM :"mail";
REVOKE ALL ON webhook FROM :"mail";
REVOKE ALL ON webhook_delivery FROM :"mail";
REVOKE ALL ON review_claim FROM :"mail";
REVOKE ALL ON mail_source FROM :"mail";
REVOKE ALL ON search_doc FROM :"mail";
REVOKE ALL ON search_wait FROM :"mail";
REVOKE ALL ON search_state FROM :"mail";
GRANT SELECT (id, username, email, is_active) ON account TO :"mail";
GRANT SELECT, INSERT, UPDATE ON person TO :"mail";
GRANT SELECT ON person_alias TO :"mail";
GRANT SELECT, UPDATE (id) ON project TO :"mail";
GRANT SELECT ON project_alias TO :"mail";
GRANT SELECT ON maintainer TO :"mail";
GRANT SELECT ON delegation_rule TO :"mail";
GRANT SELECT ON state TO :"mail";
GRANT SELECT ON tag TO :"mail";
GRANT SELECT, INSERT, UPDATE ON cover TO :"mail";
GRANT SELECT, INSERT, UPDATE ON series TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON series_reference TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON series_dependency TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON unmet_dependency TO :"mail";
GRANT SELECT, INSERT ON revision_sign TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON revision_link TO :"mail";
GRANT SELECT, INSERT, UPDATE ON tally TO :"mail";
GRANT SELECT ON patch_relation TO :"mail";
GRANT SELECT, INSERT, UPDATE ON patch TO :"mail";
GRANT SELECT, INSERT, UPDATE ON patch_body TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_tag TO :"mail";
GRANT SELECT, INSERT, UPDATE ON comment TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON event TO :"mail";
GRANT SELECT, INSERT, DELETE ON search_doc TO :"mail";
GRANT SELECT, INSERT, DELETE ON search_wait TO :"mail";
GRANT SELECT, INSERT, UPDATE ON mail TO :"mail";
GRANT SELECT, INSERT, UPDATE ON mail_source TO :"mail";
GRANT SELECT, INSERT, UPDATE ON quarantine TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON awaited TO :"mail";
GRANT SELECT, INSERT, UPDATE, DELETE ON patch_change_notification TO :"mail";

-- Both ask which migrations were applied.
REVOKE ALL ON _sqlx_migrations FROM :"web", :"mail";
GRANT SELECT ON _sqlx_migrations TO :"web", :"mail";

-- New ids.
GRANT USAGE, SELECT ON SEQUENCE account_id_seq TO :"web";
REVOKE ALL ON SEQUENCE account_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE person_id_seq TO :"web";
REVOKE ALL ON SEQUENCE person_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE project_id_seq TO :"web";
REVOKE ALL ON SEQUENCE project_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE delegation_rule_id_seq TO :"web";
REVOKE ALL ON SEQUENCE delegation_rule_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE state_id_seq TO :"web";
REVOKE ALL ON SEQUENCE state_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE tag_id_seq TO :"web";
REVOKE ALL ON SEQUENCE tag_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE cover_id_seq TO :"web";
REVOKE ALL ON SEQUENCE cover_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE series_id_seq TO :"web";
REVOKE ALL ON SEQUENCE series_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE patch_relation_id_seq TO :"web";
REVOKE ALL ON SEQUENCE patch_relation_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE patch_id_seq TO :"web";
REVOKE ALL ON SEQUENCE patch_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE comment_id_seq TO :"web";
REVOKE ALL ON SEQUENCE comment_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE bundle_id_seq TO :"web";
REVOKE ALL ON SEQUENCE bundle_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE patch_check_id_seq TO :"web";
REVOKE ALL ON SEQUENCE patch_check_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE event_id_seq TO :"web";
REVOKE ALL ON SEQUENCE event_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE mail_id_seq TO :"web";
REVOKE ALL ON SEQUENCE mail_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE quarantine_id_seq TO :"web";
REVOKE ALL ON SEQUENCE quarantine_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE email_confirmation_id_seq TO :"web";
REVOKE ALL ON SEQUENCE email_confirmation_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE token_id_seq TO :"web";
REVOKE ALL ON SEQUENCE token_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE undo_id_seq TO :"web";
REVOKE ALL ON SEQUENCE undo_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE account_group_id_seq TO :"web";
REVOKE ALL ON SEQUENCE account_group_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE audit_id_seq TO :"web";
REVOKE ALL ON SEQUENCE audit_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE outbox_id_seq TO :"web";
REVOKE ALL ON SEQUENCE outbox_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE job_id_seq TO :"web";
REVOKE ALL ON SEQUENCE job_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE saved_filter_id_seq TO :"web";
REVOKE ALL ON SEQUENCE saved_filter_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE webhook_id_seq TO :"web";
REVOKE ALL ON SEQUENCE webhook_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE webhook_delivery_id_seq TO :"web";
REVOKE ALL ON SEQUENCE webhook_delivery_id_seq FROM :"mail";
GRANT USAGE, SELECT ON SEQUENCE review_claim_id_seq TO :"web";
REVOKE ALL ON SEQUENCE review_claim_id_seq FROM :"mail";
GRANT USAGE ON SEQUENCE person_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE cover_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE series_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE patch_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE comment_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE event_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE mail_id_seq TO :"mail";
GRANT USAGE ON SEQUENCE quarantine_id_seq TO :"mail";

-- What later migrations make. Mail gets no right on a table that is not listed above: run this again.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"web";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO :"web";
COMMIT;
