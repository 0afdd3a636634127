//! Operators that the interpreter means otherwise than go-jsonnet, turned into calls of ours.
//!
//! `a % b` formats texts, and `a + b` writes numbers where one of both is text: both become calls in the program's
//! text before the interpreter reads it. A text that does not parse stays as it is, so that the
//! interpreter says what is wrong with it.

use jrsonnet_parser::{
    ArgsDesc, AssertStmt, BinaryOpType, BindSpec, CompSpec, Expr, FieldMember, FieldName, LocExpr,
    Member, ObjBody, ParamsDesc, ParserSettings, Source,
};

/// The name under which programs have our `%`.
pub(crate) const PERCENT: &str = "__tiphys_percent";
/// The name under which programs have our `+`.
pub(crate) const PLUS: &str = "__tiphys_plus";

/// Returns the program with our operators.
pub(crate) fn with_our_operators(text: &str) -> String {
    let settings = ParserSettings { source: Source::new_virtual("".into(), text.into()) };
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let Ok(program) = jrsonnet_parser::parse(text, &settings) else { return text.to_owned() };
    let mut walk = Walk { insertions: Vec::new(), text };
    walk.expression(&program);
    walk.insertions.sort_by_key(|(at, order, _)| (*at, *order));
    let mut out = String::with_capacity(text.len() + 32 * walk.insertions.len());
    let mut from = 0;
    for (at, _, piece) in &walk.insertions {
        match piece {
            Piece::Text(piece) => {
                out.push_str(&text[from..*at]);
                out.push_str(piece);
                from = *at;
            }
            // The operator itself goes.
            Piece::Comma(end) => {
                out.push_str(&text[from..*at]);
                out.push_str(", ");
                from = *end;
            }
        }
    }
    out.push_str(&text[from..]);
    out
}

enum Piece {
    Text(String),
    /// Instead of what stands up to here.
    Comma(usize),
}

struct Walk<'a> {
    /// Where in the text, which of several there, and what.
    insertions: Vec<(usize, isize, Piece)>,
    text: &'a str,
}

impl Walk<'_> {
    fn call(&mut self, name: &str, one: &LocExpr, other: &LocExpr, operator: char) {
        let (one, other) = (one.span(), other.span());
        let (start, one_end) = (one.1 as usize, one.2 as usize);
        let (other_start, end) = (other.1 as usize, other.2 as usize);
        // Comments between both may hold anything; then it stays the interpreter's operator.
        let between = self.text.get(one_end..other_start).unwrap_or_default();
        if between.trim() != operator.to_string() {
            return;
        }
        // Calls that begin at one place: the outer one, which is longer, first; those that end
        // at one place: the inner one first.
        let length = (end - start) as isize;
        self.insertions.push((start, -length, Piece::Text(format!("{name}("))));
        self.insertions.push((one_end, isize::MAX, Piece::Comma(other_start)));
        self.insertions.push((end, isize::MIN / 2 + length, Piece::Text(")".to_owned())));
    }

    fn expressions<'e>(&mut self, all: impl IntoIterator<Item = &'e LocExpr>) {
        for one in all {
            self.expression(one);
        }
    }

    fn expression(&mut self, expression: &LocExpr) {
        match expression.expr() {
            Expr::Literal(_) | Expr::Str(_) | Expr::Num(_) | Expr::Var(_) => {}
            Expr::Import(_) | Expr::ImportStr(_) | Expr::ImportBin(_) => {}
            Expr::Arr(items) => self.expressions(items),
            Expr::ArrComp(item, specs) => {
                self.expression(item);
                self.specs(specs);
            }
            Expr::Obj(body) => self.object(body),
            Expr::ObjExtend(object, body) => {
                self.expression(object);
                self.object(body);
            }
            Expr::Parened(inner) | Expr::UnaryOp(_, inner) | Expr::ErrorStmt(inner) => {
                self.expression(inner);
            }
            Expr::BinaryOp(one, operator, other) => {
                match operator {
                    BinaryOpType::Mod => self.call(PERCENT, one, other, '%'),
                    BinaryOpType::Add if may_print_a_number(one, other) => {
                        self.call(PLUS, one, other, '+');
                    }
                    _ => {}
                }
                self.expressions([one, other]);
            }
            Expr::AssertExpr(assertion, rest) => {
                self.assertion(assertion);
                self.expression(rest);
            }
            Expr::LocalExpr(binds, rest) => {
                self.binds(binds);
                self.expression(rest);
            }
            Expr::Apply(function, ArgsDesc { unnamed, named }, _) => {
                self.expression(function);
                self.expressions(unnamed);
                self.expressions(named.iter().map(|(_, value)| value));
            }
            Expr::Index { indexable, parts } => {
                self.expression(indexable);
                self.expressions(parts.iter().map(|part| &part.value));
            }
            Expr::Function(parameters, body) => {
                self.parameters(parameters);
                self.expression(body);
            }
            Expr::IfElse { cond, cond_then, cond_else } => {
                self.expressions([&cond.0, cond_then]);
                self.expressions(cond_else);
            }
            Expr::Slice(sliced, ends) => {
                self.expression(sliced);
                self.expressions([&ends.start, &ends.end, &ends.step].into_iter().flatten());
            }
        }
    }

    fn assertion(&mut self, AssertStmt(condition, message): &AssertStmt) {
        self.expression(condition);
        self.expressions(message);
    }

    fn specs(&mut self, specs: &[CompSpec]) {
        self.expressions(specs.iter().map(|spec| match spec {
            CompSpec::IfSpec(condition) => &condition.0,
            CompSpec::ForSpec(list) => &list.1,
        }));
    }

    fn parameters(&mut self, parameters: &ParamsDesc) {
        self.expressions(parameters.iter().filter_map(|parameter| parameter.1.as_ref()));
    }

    fn binds(&mut self, binds: &[BindSpec]) {
        for bind in binds {
            match bind {
                BindSpec::Field { value, .. } => self.expression(value),
                BindSpec::Function { params, value, .. } => {
                    self.parameters(params);
                    self.expression(value);
                }
            }
        }
    }

    fn field(&mut self, field: &FieldMember) {
        if let FieldName::Dyn(name) = &field.name {
            self.expression(name);
        }
        if let Some(parameters) = &field.params {
            self.parameters(parameters);
        }
        self.expression(&field.value);
    }

    fn object(&mut self, body: &ObjBody) {
        match body {
            ObjBody::MemberList(members) => {
                for member in members {
                    match member {
                        Member::Field(field) => self.field(field),
                        Member::BindStmt(bind) => self.binds(std::slice::from_ref(bind)),
                        Member::AssertStmt(assertion) => self.assertion(assertion),
                    }
                }
            }
            ObjBody::ObjComp(comprehension) => {
                self.binds(&comprehension.pre_locals);
                self.field(&comprehension.field);
                self.binds(&comprehension.post_locals);
                self.specs(&comprehension.compspecs);
            }
        }
    }
}

/// What shows in how an expression is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// It is text, or text with something added.
    Text,
    /// It is a number, perhaps with a fraction.
    Number,
    /// It is a whole number, a list or an object: it prints the same everywhere, mostly.
    Plain,
    /// Only its value shows what it is.
    Unknown,
}

fn written(expression: &LocExpr) -> Written {
    use BinaryOpType::{Add, Div, Mod, Mul, Sub};
    match expression.expr() {
        Expr::Str(_) => Written::Text,
        Expr::Num(number) if number.fract() == 0.0 => Written::Plain,
        Expr::Num(_) => Written::Number,
        Expr::Arr(_) | Expr::ArrComp(..) | Expr::Obj(_) | Expr::ObjExtend(..) => Written::Plain,
        Expr::Parened(inner) => written(inner),
        Expr::BinaryOp(one, Add, other) => match (written(one), written(other)) {
            (Written::Text, _) | (_, Written::Text) => Written::Text,
            (Written::Unknown, _) | (_, Written::Unknown) => Written::Unknown,
            (Written::Number, _) | (_, Written::Number) => Written::Number,
            (Written::Plain, Written::Plain) => Written::Plain,
        },
        // `%` with a text before it is a text.
        Expr::BinaryOp(one, Mod, _) if written(one) != Written::Number => Written::Unknown,
        Expr::BinaryOp(_, Sub | Mul | Div | Mod, _) => Written::Number,
        _ => Written::Unknown,
    }
}

/// Whether `one + other` may put a number with a fraction into a text.
fn may_print_a_number(one: &LocExpr, other: &LocExpr) -> bool {
    match (written(one), written(other)) {
        (Written::Text, _) | (_, Written::Text) => true,
        (Written::Unknown, Written::Unknown | Written::Number) => true,
        (Written::Number, Written::Unknown) => true,
        (Written::Unknown | Written::Number | Written::Plain, _) => false,
    }
}
