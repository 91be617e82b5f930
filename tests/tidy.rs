//! Holds the tree to the laws of the house: sizes, names, arrows between rooms, dead files, the text's own form.
//!
//! Every law reads a [`tree::Tree`], so that each has a bad sample in memory beside it: a law that cannot fail holds
//! nothing. The tests of this file run the laws over the real tree. Start at `tidy/arrows.rs`, the table of who may
//! see whom.

#[cfg(test)]
mod tidy {
    pub mod architecture;
    pub mod arrows;
    pub mod dead;
    pub mod files;
    pub mod functions;
    pub mod lexer;
    pub mod manifest;
    pub mod prose;
    pub mod tree;
    pub mod use_paths;

    use std::sync::OnceLock;

    use tree::{Finding, Tree};

    fn the_tree() -> &'static Tree {
        static TREE: OnceLock<Tree> = OnceLock::new();
        // At run time, so that the built test can judge another tree.
        let root = || std::env::var("CARGO_MANIFEST_DIR").expect("cargo and its runners set it");
        TREE.get_or_init(|| Tree::read(root().as_ref()))
    }

    fn hold(findings: &[Finding]) {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{} law(s) broken:\n{}", lines.len(), lines.join("\n"));
    }

    #[test]
    fn files_are_short_open_with_a_sentence_and_carry_a_noun() {
        hold(&files::findings(the_tree()));
    }

    #[test]
    fn functions_fit_on_a_screen() {
        let tree = the_tree();
        println!("{}", functions::longest(tree));
        println!("{}", files::longest(tree));
        hold(&functions::findings(tree));
    }

    #[test]
    fn imports_follow_the_arrows() {
        hold(&arrows::findings(the_tree()));
    }

    #[test]
    fn no_file_is_dead() {
        hold(&dead::findings(the_tree()));
    }

    #[test]
    fn manifests_stay_on_their_allow_lists() {
        hold(&manifest::findings(the_tree()));
    }

    #[test]
    fn prose_keeps_its_form() {
        hold(&prose::findings(the_tree()));
    }

    #[test]
    fn architecture_names_files_that_exist() {
        hold(&architecture::findings(the_tree()));
    }
}
