// Merkle trees as RFC 6962 (section 2.1) has them. Every hash is 32 raw bytes.

const LEAF_PREFIX = Uint8Array.of(0), NODE_PREFIX = Uint8Array.of(1);

const leafHash = (bytes) => sha256(concat(LEAF_PREFIX, bytes));
const nodeHash = (left, right) => sha256(concat(NODE_PREFIX, left, right));

// A growing tree: the roots of its complete subtrees, the largest first.
class Tree {
  constructor() {
    this.size = 0;
    this.peaks = [];
  }

  // One more leaf: each 1 at the end of the size in binary is a subtree that it completes.
  append(leaf) {
    let top = leaf;
    for (let left = this.size; left % 2 === 1; left = Math.floor(left / 2)) top = nodeHash(this.peaks.pop(), top);
    this.peaks.push(top);
    this.size += 1;
  }

  root() {
    if (!this.size) return sha256(new Uint8Array(0));
    return this.peaks.reduceRight((top, peak) => nodeHash(peak, top));
  }
}

const rootOf = (leaves) => {
  const tree = new Tree();
  leaves.forEach((leaf) => tree.append(leaf));
  return tree.root();
};

// The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2). Sizes may be over 2^32: no bit operations.
function rootByProof(leaf, index, size, proof) {
  requireThat(index < size, "index", `a leaf of ${size}`, index);
  const above = (number) => Math.floor(number / 2);
  let at = index, last = size - 1, root = leaf;
  for (const sibling of proof) {
    requireThat(sibling.length === 32 && last > 0, "proof", "as many hashes of 32 bytes as the tree is high", proof.length);
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root);
      while (at % 2 === 0 && at) [at, last] = [above(at), above(last)];
    } else {
      root = nodeHash(root, sibling);
    }
    [at, last] = [above(at), above(last)];
  }
  requireThat(last === 0, "proof", "as many hashes as the tree is high", proof.length);
  return root;
}
