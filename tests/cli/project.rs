//! `patchwork createproject`.

use patchwork::store;

use crate::support::program::Program;

on_both! {
    async fn a_project_has_every_field(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        let told = program.run(&[
            "createproject", "kvm-ppc_2", "--name", "KVM on Power", "--list-id", " <KVM.lists.example.org>",
            "--list-email", "kvm@lists.example.org", "--subject-match", r"\bppc\b", "--web-url", "https://kvm.example.org/",
            "--scm-url", "git://git.example.org/kvm.git", "--webscm-url", "https://git.example.org/kvm",
            "--list-archive-url", "https://lists.example.org/kvm", "--list-archive-url-format", "https://lists.example.org/kvm/{}",
            "--commit-url-format", "https://git.example.org/kvm/{}", "--send-notifications", "--show-dependencies",
            "--use-tags", "false",
        ]).ok();
        assert_eq!(told, "Made the project kvm-ppc_2.\n");
        let mut conn = fresh.db.reader().await.expect("a reader");
        let project = store::project::by_linkname(&mut conn, "kvm-ppc_2").await.expect("an answer").expect("a project");
        assert_eq!(project.list_id.as_str(), "kvm.lists.example.org");
        assert_eq!(project.subject_match, r"\bppc\b");
        assert!(project.send_notifications && project.show_dependencies && !project.use_tags);
        assert_eq!(project.list_archive_url_format, "https://lists.example.org/kvm/{}");
        assert_eq!(store::project::all(&mut conn).await.expect("a list"), [project]);
    }
}

on_both! {
    async fn a_project_is_made_once(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        let make = |linkname, name, id| {
            program.run(&["createproject", linkname, "--name", name, "--list-id", id, "--list-email", "a@b"])
        };
        make("one", "One", "one.example.org").ok();
        make("one", "Two", "two.example.org").fails(1, &["'one'"]);
        make("two", "One", "two.example.org").fails(1, &["'One'"]);
        make("two", "Two", "ONE.example.org").fails(1, &["this list"]);
        make("two", "Two", "two.example.org").ok();
    }
}

#[test]
fn mistakes_are_named_all_at_once() {
    let program = Program::default();
    program.run(&["migrate"]).ok();
    program
        .run(&[
            "createproject",
            "a b",
            "--name",
            "",
            "--list-id",
            "a b",
            "--list-email",
            "nobody",
            "--subject-match",
            r"(\w{100}){100}",
            "--web-url",
            "javascript:alert(1)",
            "--scm-url",
            "git.example.org",
        ])
        .fails(
            1,
            &[
                "linkname 'a b'",
                "1 to 255",
                "list id 'a b'",
                "'nobody' is no mail address",
                "too large",
                "'javascript:alert(1)'",
                "SCM URL 'git.example.org'",
            ],
        );
}
