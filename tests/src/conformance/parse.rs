//! Case files.

use super::bytes::{Pattern, to_expect, to_send};

/// One case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Case {
    /// Its own for good.
    pub number: u32,
    /// What is to be the case, in a sentence.
    pub title: String,
    /// The rules that it shows.
    pub rules: String,
    /// What the program under test does.
    pub role: Role,
    /// What happens, in order, each with its line.
    pub steps: Vec<(usize, Step)>,
    /// Where it is: the file, and its first line.
    pub place: (String, usize),
}

/// What the program under test does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It serves `reverse`.
    Server,
    /// It asks so many requests, and serves `reverse` meanwhile.
    Asker(u32),
}

/// One step of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// These bytes are sent to the program, in pieces of so many bytes if that is said.
    Send(Vec<u8>, Option<usize>),
    /// These packets come next, in any order.
    Expect(Vec<Pattern>),
    /// Nothing more is sent: the direction to the program is closed.
    Shut,
    /// The program ends its stream: perhaps an ERQ, perhaps an EOF, and nothing else.
    End,
    /// The asker ends, with status 0 or another.
    Exit(bool),
}

/// Why a file is not one of cases.
#[derive(Debug, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct CaseError {
    file: String,
    line: usize,
    what: String,
}

impl Case {
    /// All cases of a file.
    ///
    /// # Errors
    ///
    /// What is wrong, and in which line.
    pub fn parse_all(file: &str, text: &str) -> Result<Vec<Self>, CaseError> {
        let mut cases: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let fail = |what: String| CaseError { file: file.to_owned(), line: number, what };
            if let Some(head) = line.strip_prefix("## ") {
                cases.push(Self::begin(head, (file.to_owned(), number)).map_err(fail)?);
                continue;
            }
            let line = line.split_once('#').map_or(line, |(line, _)| line).trim();
            if line.is_empty() {
                continue;
            }
            let case = cases.last_mut().ok_or_else(|| fail("a step without a case".to_owned()))?;
            case.add(number, line).map_err(fail)?;
        }
        match cases.iter().find(|case| case.rules.is_empty() || case.steps.is_empty()) {
            Some(case) => Err(case.error("a case without rules, or without steps")),
            None => Ok(cases),
        }
    }

    fn begin(head: &str, place: (String, usize)) -> Result<Self, String> {
        let (number, title) = head.split_once(' ').ok_or("a case without a title")?;
        let number = number.parse().map_err(|_| "a case without a number")?;
        let (rules, steps) = (String::new(), Vec::new());
        Ok(Self { number, title: title.trim().to_owned(), rules, role: Role::Server, steps, place })
    }

    fn add(&mut self, number: usize, line: &str) -> Result<(), String> {
        let mut push = |step| self.steps.push((number, step));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "rules:" => rest.trim().clone_into(&mut self.rules),
            "asks:" => {
                self.role = Role::Asker(rest.trim().parse().map_err(|_| "so many requests are no number")?);
            }
            ">" => push(Step::Send(to_send(rest)?, None)),
            "<" => push(Step::Expect(to_expect(rest)?)),
            "<<" => to_expect(rest)?.into_iter().for_each(|pattern| push(Step::Expect(vec![pattern]))),
            "shut" => push(Step::Shut),
            "end" => push(Step::End),
            "exit" if rest.trim() == "ok" => push(Step::Exit(true)),
            "exit" if rest.trim() == "failed" => push(Step::Exit(false)),
            "goodbye" => {
                push(Step::Send(to_send("ERQ EOF")?, None));
                push(Step::Expect(to_expect("ERQ")?));
                push(Step::Expect(to_expect("EOF")?));
            }
            _ => match word.strip_prefix('>').and_then(|piece| piece.parse().ok()) {
                Some(piece @ 1_usize..) => push(Step::Send(to_send(rest)?, Some(piece))),
                _ => return Err(format!("`{word}` is no step")),
            },
        }
        Ok(())
    }

    fn error(&self, what: &str) -> CaseError {
        let (file, line) = self.place.clone();
        CaseError { file, line, what: what.to_owned() }
    }

    pub(super) fn twice(&self) -> CaseError {
        self.error("a number that another case has")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_number_a_title_rules_and_steps() {
        let text = "# about\n\n## 7 A title\nrules: W-1, L-2\nasks: 2\n> 01 # one\n>1 02\n< ERQ EOF\n<< ERQ EOF\nshut\nexit failed\n";
        let case = Case::parse_all("a.cases", text).unwrap().remove(0);
        assert_eq!((case.number, &*case.title, &*case.rules), (7, "A title", "W-1, L-2"));
        assert_eq!((case.role, case.place.1), (Role::Asker(2), 3));
        let steps: Vec<Step> = case.steps.into_iter().map(|(_, step)| step).collect();
        let expected = |text| Step::Expect(to_expect(text).unwrap());
        let all = [
            Step::Send(vec![1], None),
            Step::Send(vec![2], Some(1)),
            expected("ERQ EOF"),
            expected("ERQ"),
            expected("EOF"),
            Step::Shut,
            Step::Exit(false),
        ];
        assert_eq!(steps, all);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, error) in [
            ("> 01", "a.cases, line 1: a step without a case"),
            ("## x title", "a.cases, line 1: a case without a number"),
            ("## 1", "a.cases, line 1: a case without a title"),
            ("## 1 t\nrules: W-1\nwait", "a.cases, line 3: `wait` is no step"),
            ("## 1 t\nrules: W-1\n>0 01", "a.cases, line 3: `>0` is no step"),
            ("## 1 t\nrules: W-1\n\n< 05 01", "a.cases, line 4: the bytes end within a packet"),
            ("## 1 t\nrules: W-1\nexit", "a.cases, line 3: `exit` is no step"),
            ("\n## 1 t\nend", "a.cases, line 2: a case without rules, or without steps"),
        ] {
            assert_eq!(Case::parse_all("a.cases", text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn there_are_enough_cases_and_each_has_a_number_of_its_own() {
        let cases = super::super::cases().unwrap();
        assert!(cases.len() >= 150, "{} cases", cases.len());
        let asking = cases.iter().filter(|case| matches!(case.role, Role::Asker(_))).count();
        assert!(asking >= 25, "{asking} of them are of askers");
    }
}
