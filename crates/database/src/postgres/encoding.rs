//! The encoding of values: the PostgreSQL type of a parameter or a column decides how it is written and read.

use std::error::Error as StdError;

use base::TenantId;
use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::{OwnedValue, Row, Statement, Value};

/// One parameter of a statement.
#[derive(Debug)]
pub(crate) enum Parameter<'a> {
    Tenant(i32),
    Value(&'a Value<'a>),
}

impl<'a> Parameter<'a> {
    pub(crate) fn all(tenant: TenantId, statement: &'static Statement, values: &'a [Value<'a>]) -> Vec<Self> {
        let tenant = statement.is_tenant_bound().then(|| Self::Tenant(tenant.as_i32()));
        tenant.into_iter().chain(values.iter().map(Self::Value)).collect()
    }

    pub(crate) fn borrow(parameters: &'a [Self]) -> Vec<&'a (dyn ToSql + Sync)> {
        parameters.iter().map(|it| it as &(dyn ToSql + Sync)).collect()
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Tenant(id) => integer(i64::from(*id), kind, out),
            Self::Value(value) => match value {
                Value::Null => Ok(IsNull::Yes),
                Value::Boolean(it) => it.to_sql(kind, out),
                Value::Integer(it) => integer(*it, kind, out),
                Value::Text(it) => it.as_ref().to_sql(kind, out),
                Value::Bytes(it) => it.as_ref().to_sql(kind, out),
                Value::Uuid(it) => it.to_sql(kind, out),
                Value::Uuids(it) => it.as_ref().to_sql(kind, out),
            },
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn integer(value: i64, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
    match *kind {
        Type::INT2 => i16::try_from(value)?.to_sql(kind, out),
        Type::INT4 => i32::try_from(value)?.to_sql(kind, out),
        _ => value.to_sql(kind, out),
    }
}

pub(crate) fn row(statement: &'static Statement, row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let values = (0..row.len()).map(|column| Ok(row.try_get::<_, Column>(column)?.0)).collect::<Result<_, _>>()?;
    Ok(Row::new(statement, values))
}

struct Column(OwnedValue);

impl<'a> FromSql<'a> for Column {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => Value::Boolean(bool::from_sql(kind, raw)?),
            Type::INT2 => Value::Integer(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA => Value::Bytes(raw.to_vec().into()),
            Type::UUID => Value::Uuid(Uuid::from_sql(kind, raw)?),
            _ => Value::Text(String::from_sql(kind, raw)?.into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::BOOL | Type::INT2 | Type::INT4 | Type::INT8 | Type::BYTEA | Type::UUID)
            || <String as FromSql>::accepts(kind)
    }
}
