//! Puts the pieces of a template together while it is read: which block is open, and what belongs to it.

use super::condition::Condition;
use super::refusal::TemplateRefusal;
use super::template::{BlockKind, DEPTH_MAX, Node, Operand};

/// What an open block is.
enum Opened {
    /// Branches that are whole, and the condition of the one that is open.
    If {
        branches: Vec<(Condition, Vec<Node>)>,
        condition: Option<Condition>,
    },
    /// A body with a value, whole once the else has come.
    Block {
        kind: BlockKind,
        over: Operand,
        body: Option<Vec<Node>>,
    },
}

struct Open {
    opened: Opened,
    /// What its end must say.
    name: String,
    line: usize,
    nodes: Vec<Node>,
}

/// A template in the making.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
    open: Vec<Open>,
}

impl Builder {
    fn place(&mut self) -> &mut Vec<Node> {
        match self.open.last_mut() {
            Some(open) => &mut open.nodes,
            None => &mut self.nodes,
        }
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.place().last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => self.push(Node::Text(text.to_owned())),
        }
    }

    /// Adds a piece.
    pub(super) fn push(&mut self, node: Node) {
        self.place().push(node);
    }

    /// Opens a choice.
    pub(super) fn open_if(&mut self, name: &str, condition: Condition, line: usize) -> Result<(), TemplateRefusal> {
        let opened = Opened::If {
            branches: Vec::new(),
            condition: Some(condition),
        };
        self.open(opened, name, line)
    }

    /// Opens a block with a value.
    pub(super) fn open_block(
        &mut self,
        name: &str,
        kind: BlockKind,
        over: Operand,
        line: usize,
    ) -> Result<(), TemplateRefusal> {
        let body = None;
        self.open(Opened::Block { kind, over, body }, name, line)
    }

    fn open(&mut self, opened: Opened, name: &str, line: usize) -> Result<(), TemplateRefusal> {
        if self.open.len() >= DEPTH_MAX {
            return Err(TemplateRefusal::TooDeep { line });
        }
        self.open.push(Open {
            opened,
            name: name.to_owned(),
            line,
            nodes: Vec::new(),
        });
        Ok(())
    }

    /// Another branch of the open choice.
    pub(super) fn else_if(&mut self, next: Condition, line: usize) -> Result<(), TemplateRefusal> {
        match self.open.last_mut() {
            Some(Open {
                opened: Opened::If { branches, condition },
                nodes,
                ..
            }) if condition.is_some() => {
                let before = condition.replace(next);
                branches.extend(before.map(|before| (before, std::mem::take(nodes))));
                Ok(())
            }
            _ => Err(TemplateRefusal::NotOpen { line }),
        }
    }

    /// What is printed otherwise.
    pub(super) fn otherwise(&mut self, line: usize) -> Result<(), TemplateRefusal> {
        match self.open.last_mut() {
            Some(Open {
                opened: Opened::If { branches, condition },
                nodes,
                ..
            }) if condition.is_some() => {
                branches.extend(condition.take().map(|before| (before, std::mem::take(nodes))));
                Ok(())
            }
            Some(Open {
                opened: Opened::Block { body: body @ None, .. },
                nodes,
                ..
            }) => {
                *body = Some(std::mem::take(nodes));
                Ok(())
            }
            _ => Err(TemplateRefusal::NotOpen { line }),
        }
    }

    /// Ends the open block, if it has this name.
    pub(super) fn close(&mut self, name: &str, line: usize) -> Result<(), TemplateRefusal> {
        let Some(open) = self.open.pop_if(|open| open.name == name) else {
            return Err(TemplateRefusal::NotOpen { line });
        };
        let node = match open.opened {
            Opened::If {
                mut branches,
                condition: Some(condition),
            } => {
                branches.push((condition, open.nodes));
                let otherwise = Vec::new();
                Node::If { branches, otherwise }
            }
            Opened::If {
                branches,
                condition: None,
            } => Node::If {
                branches,
                otherwise: open.nodes,
            },
            Opened::Block {
                kind,
                over,
                body: Some(body),
            } => Node::Block {
                kind,
                over,
                body,
                otherwise: open.nodes,
            },
            Opened::Block { kind, over, body: None } => Node::Block {
                kind,
                over,
                body: open.nodes,
                otherwise: Vec::new(),
            },
        };
        self.push(node);
        Ok(())
    }

    /// The whole template.
    pub(super) fn finish(self) -> Result<Vec<Node>, TemplateRefusal> {
        match self.open.last() {
            Some(open) => Err(TemplateRefusal::Unclosed { line: open.line }),
            None => Ok(self.nodes),
        }
    }
}

/// The line in which a byte of a text stands, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    memchr::memchr_iter(b'\n', before).count().saturating_add(1)
}
