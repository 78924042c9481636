//! The Merkle tree of RFC 6962 (section 2.1), over leaves in a fixed order.
//!
//! `leaf = sha256(0x00 ‖ bytes)`, `node = sha256(0x01 ‖ left ‖ right)`; a node without a neighbor moves up
//! unchanged, which gives the same root as the RFC's split at the largest power of two. All levels are kept
//! (64 bytes a leaf), so that a changed leaf costs only its path to the root.

use crate::hash::{Hash, sha256};

/// The tree's levels: the leaves' hashes first, the root alone last.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

/// A place beyond the end of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {len} leaves has no place {index}")]
pub struct PlaceError {
    /// The place.
    pub index: usize,
    /// The number of leaves.
    pub len: usize,
}

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256([[0].as_slice(), leaf])
}

/// The hash of a node over two others.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    sha256([[1].as_slice(), left.as_bytes(), right.as_bytes()])
}

impl Tree {
    /// The number of leaves.
    pub fn len(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root; for an empty tree, the hash of the empty string.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_else(|| sha256([]))
    }

    /// Puts hashes of leaves at their places, in the order of places; the next free place adds a leaf. Each
    /// node above them is hashed once.
    ///
    /// # Errors
    /// If a place is beyond the end. The leaves before it are in the tree.
    pub fn put(&mut self, leaves: impl IntoIterator<Item = (usize, Hash)>) -> Result<(), PlaceError> {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let mut touched: Vec<usize> = Vec::new();
        let mut wrong = None;
        if let Some(bottom) = self.levels.first_mut() {
            for (index, hash) in leaves {
                if !place(bottom, index, hash) {
                    wrong = Some(PlaceError { index, len: bottom.len() });
                    break;
                }
                touched.push(index);
            }
        }
        touched.sort_unstable();
        self.rise(touched);
        wrong.map_or(Ok(()), Err)
    }

    /// Hashes the nodes above places of the lowest level, which are in order.
    fn rise(&mut self, mut touched: Vec<usize>) {
        let mut height = 0;
        while self.levels.get(height).is_some_and(|level| level.len() > 1) {
            if self.levels.len() == height + 1 {
                self.levels.push(Vec::new());
            }
            touched.iter_mut().for_each(|index| *index /= 2);
            touched.dedup();
            let (below, above) = self.levels.split_at_mut(height + 1);
            if let (Some(below), Some(above)) = (below.last(), above.first_mut()) {
                for &index in &touched {
                    let node = match (below.get(2 * index), below.get(2 * index + 1)) {
                        (Some(&left), Some(&right)) => node_hash(left, right),
                        (Some(&alone), None) => alone,
                        (None, _) => continue,
                    };
                    // INVARIANT: each level is complete, so that a new node is the next one.
                    place(above, index, node);
                }
            }
            height += 1;
        }
    }

    /// The inclusion proof of a leaf: the neighbors on its path to the root, from below. `None` if the leaf
    /// does not exist.
    pub fn proof(&self, index: usize) -> Option<Vec<Hash>> {
        (index < self.len()).then(|| {
            let neighbour = |(height, level): (usize, &Vec<Hash>)| level.get((index >> height) ^ 1).copied();
            self.levels.iter().enumerate().filter_map(neighbour).collect()
        })
    }
}

/// Puts a hash at its place in a level, or after its last. Returns whether it has a place.
fn place(level: &mut Vec<Hash>, index: usize, hash: Hash) -> bool {
    if index == level.len() {
        level.push(hash);
        return true;
    }
    level.get_mut(index).map(|stands| *stands = hash).is_some()
}

/// The root that an inclusion proof gives, from a leaf's hash and place in a tree of `len` leaves (RFC 9162,
/// 2.1.3.2). `None` if the proof's length does not fit the place.
pub fn root_of(leaf: Hash, index: u64, len: u64, proof: &[Hash]) -> Option<Hash> {
    let mut last = len.checked_sub(1).filter(|last| index <= *last)?;
    let mut place = index;
    let mut root = leaf;
    for &neighbour in proof {
        if last == 0 {
            return None;
        }
        // Where the node moves up unchanged, the proof has no neighbor.
        while place == last && place.is_multiple_of(2) && last > 0 {
            place /= 2;
            last /= 2;
        }
        if last == 0 {
            return None;
        }
        root = if place.is_multiple_of(2) { node_hash(root, neighbour) } else { node_hash(neighbour, root) };
        place /= 2;
        last /= 2;
    }
    while place == last && place.is_multiple_of(2) && last > 0 {
        place /= 2;
        last /= 2;
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::{InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
    use proptest::prelude::*;
    use sha2::Sha256;

    fn tree(leaves: &[Vec<u8>]) -> Tree {
        let mut tree = Tree::default();
        tree.put(leaves.iter().enumerate().map(|(n, leaf)| (n, leaf_hash(leaf)))).unwrap();
        tree
    }

    fn peer(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
        let mut peer = MemoryBackedTree::new();
        leaves.iter().for_each(|leaf| peer.push(leaf.clone()));
        peer
    }

    #[test]
    fn the_roots_of_the_certificate_transparency_projects_own_test() {
        // merkletree_test.go of google/certificate-transparency: the leaves and the root of the first n.
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let leaves: Vec<Vec<u8>> = leaves.iter().map(|leaf| hex::decode(leaf).unwrap()).collect();
        for (n, root) in roots.iter().enumerate() {
            assert_eq!(tree(&leaves[..=n]).root().to_string(), *root, "{} leaves", n + 1);
        }
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Tree::default().root().to_string(), nothing);
    }

    #[test]
    fn a_gap_is_refused() {
        let mut tree = tree(&[vec![0], vec![1]]);
        let root = tree.root();
        assert_eq!(tree.put([(3, Hash::ZERO)]), Err(PlaceError { index: 3, len: 2 }));
        assert_eq!((tree.root(), tree.len()), (root, 2));
    }

    #[test]
    fn each_leaf_of_each_small_tree_has_a_proof_that_fits_nothing_else() {
        for len in 1..40_u64 {
            let leaves: Vec<Vec<u8>> = (0..len).map(|n| n.to_be_bytes().to_vec()).collect();
            let tree = tree(&leaves);
            for index in 0..len {
                let proof = tree.proof(index as usize).unwrap();
                let leaf = leaf_hash(&leaves[index as usize]);
                assert_eq!(root_of(leaf, index, len, &proof), Some(tree.root()));
                for other in (0..len + 2).filter(|other| *other != index) {
                    assert_ne!(
                        root_of(leaf, other, len, &proof),
                        Some(tree.root()),
                        "{other} for {index} of {len}"
                    );
                }
                let longer = [proof.as_slice(), &[Hash::ZERO]].concat();
                assert_eq!(root_of(leaf, index, len, &longer), None);
                if let Some((_, shorter)) = proof.split_last() {
                    assert_eq!(root_of(leaf, index, len, shorter), None);
                }
            }
            assert_eq!(tree.proof(len as usize), None);
        }
    }

    proptest! {
        /// Batches in any order give the tree that another implementation builds at once, and each accepts
        /// the other's proofs.
        #[test]
        fn any_batches_give_the_tree_of_the_rfc(
            batches in prop::collection::vec(prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), 1..12),
        ) {
            let mut leaves: Vec<Vec<u8>> = Vec::new();
            let mut built = Tree::default();
            for batch in batches {
                let mut put = Vec::new();
                for (at, byte) in batch {
                    // New and changed leaves are equally frequent.
                    let index = at.index(2 * leaves.len() + 1).min(leaves.len());
                    if index == leaves.len() { leaves.push(vec![byte]) } else { leaves[index] = vec![byte] }
                    put.push((index, leaf_hash(&[byte])));
                }
                built.put(put).unwrap();
            }
            let peer = peer(&leaves);
            let root = RootHash::<Sha256>::new((*built.root().as_bytes()).into(), leaves.len() as u64);
            prop_assert_eq!(&root, &peer.root());
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = built.proof(index).unwrap();
                let bytes: Vec<u8> = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
                let theirs = peer.prove_inclusion(index);
                prop_assert_eq!(bytes.as_slice(), theirs.as_bytes());
                let proof = InclusionProof::<Sha256>::from_bytes(bytes);
                prop_assert!(root.verify_inclusion(leaf, index as u64, &proof).is_ok());
            }
        }
    }
}
