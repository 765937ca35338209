//! A row of a result, read by position.

use crate::{Error, FromValue, OwnedValue, Statement, Value};

#[derive(Clone, Debug)]
pub struct Row {
    statement: &'static Statement,
    values: Vec<OwnedValue>,
}

impl Row {
    pub(crate) fn new(statement: &'static Statement, values: Vec<OwnedValue>) -> Self {
        Self { statement, values }
    }

    /// The value of the column at `position`, counted from 0. A value of another type is an inconsistent row.
    pub fn get<T: FromValue>(&self, position: usize) -> Result<T, Error> {
        let value = self.values.get(position).cloned().ok_or_else(|| self.fault(position, "no such column"))?;
        let kind = value.kind();
        T::from_value(value).ok_or_else(|| self.fault(position, kind))
    }

    /// Like [`Row::get`], without a copy: the column is empty afterwards.
    pub fn take<T: FromValue>(&mut self, position: usize) -> Result<T, Error> {
        let slot = self.values.get_mut(position);
        let value = slot.map_or(Value::Null, |slot| std::mem::replace(slot, Value::Null));
        let kind = value.kind();
        T::from_value(value).ok_or_else(|| self.fault(position, kind))
    }

    fn fault(&self, position: usize, what: &str) -> Error {
        Error::inconsistent(self.statement.name(), format!("column {position} holds {what}"))
    }
}
