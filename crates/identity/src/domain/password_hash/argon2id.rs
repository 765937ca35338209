//! Argon2id and Argon2i (RFC 9106), version 1.3, in the PHC string format.

use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{HashFormatError, decode, encode, equal, numbers};

const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_ITERATIONS: u32 = 10;
const MAX_PARALLELISM: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Parameters {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// The length of the hash, in bytes.
    pub key_length: usize,
}

/// Working memory, reused between hashes: zeroing fresh pages costs as much as hashing.
#[derive(Default)]
pub struct WorkMemory(Vec<Block>);

impl WorkMemory {
    fn blocks(&mut self, parameters: &Params) -> &mut [Block] {
        let needed = parameters.block_count();
        if self.0.len() < needed {
            self.0.resize(needed, Block::default());
        }
        &mut self.0[..needed]
    }

    /// Frees what exceeds `kib`, so that memory for one expensive imported hash is not kept for ever.
    pub fn shrink_to_kib(&mut self, kib: u32) {
        let blocks = usize::try_from(kib).unwrap_or(usize::MAX);
        if self.0.len() > blocks {
            self.0.truncate(blocks);
            self.0.shrink_to_fit();
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    parameters: Argon2Parameters,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2Hash {
    pub(super) fn parse(text: &str) -> Result<Self, HashFormatError> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", algorithm, version, parameters, salt, hash] = parts.as_slice() else {
            return Err(HashFormatError::Malformed("an argon2 hash has five parts"));
        };
        let algorithm = if algorithm == "argon2id" { Algorithm::Argon2id } else { Algorithm::Argon2i };
        if version != "v=19" {
            return Err(HashFormatError::Malformed("the argon2 version is not 19"));
        }
        let [memory_kib, iterations, parallelism] = numbers(parameters, ["m", "t", "p"])?;
        if memory_kib > MAX_MEMORY_KIB {
            return Err(HashFormatError::TooExpensive("argon2 with more than 1 GiB of memory"));
        }
        if iterations > MAX_ITERATIONS {
            return Err(HashFormatError::TooExpensive("argon2 with more than 10 iterations"));
        }
        if parallelism > MAX_PARALLELISM {
            return Err(HashFormatError::TooExpensive("argon2 with a parallelism of more than 16"));
        }
        let (salt, hash) = (decode(salt)?, decode(hash)?);
        let parameters = Argon2Parameters { memory_kib, iterations, parallelism, key_length: hash.len() };
        if salt.len() < argon2::MIN_SALT_LEN || to_params(parameters).is_none() {
            return Err(HashFormatError::Malformed("the argon2 parameters, salt or hash are too small"));
        }
        Ok(Self { algorithm, parameters, salt, hash })
    }

    pub(super) const fn parameters(&self) -> Argon2Parameters {
        self.parameters
    }

    pub(super) fn is_argon2id(&self) -> bool {
        self.algorithm == Algorithm::Argon2id
    }

    pub(super) fn verify(&self, password: &[u8], memory: &mut WorkMemory) -> bool {
        compute(self.algorithm, password, &self.salt, self.parameters, memory)
            .is_some_and(|computed| equal(&computed, &self.hash))
    }
}

pub(super) fn hash(
    password: &[u8],
    salt: &[u8],
    parameters: Argon2Parameters,
    memory: &mut WorkMemory,
) -> Option<String> {
    let computed = compute(Algorithm::Argon2id, password, salt, parameters, memory)?;
    let Argon2Parameters { memory_kib, iterations, parallelism, .. } = parameters;
    Some(format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${}${}", encode(salt), encode(&computed)))
}

fn to_params(parameters: Argon2Parameters) -> Option<Params> {
    let Argon2Parameters { memory_kib, iterations, parallelism, key_length } = parameters;
    Params::new(memory_kib, iterations, parallelism, Some(key_length)).ok()
}

fn compute(
    algorithm: Algorithm,
    password: &[u8],
    salt: &[u8],
    parameters: Argon2Parameters,
    memory: &mut WorkMemory,
) -> Option<Vec<u8>> {
    let params = to_params(parameters)?;
    let blocks = memory.blocks(&params);
    let mut out = vec![0; parameters.key_length];
    Argon2::new(algorithm, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, &mut out, blocks)
        .ok()?;
    Some(out)
}
