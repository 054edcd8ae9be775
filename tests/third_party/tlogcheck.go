// Tlogcheck checks a log in a folder, and proofs about it, with Go's sumdb/note and sumdb/tlog.
//
//	tlogcheck VKEY DIR <proofs
//
// A proof is a line: "inclusion SIZE INDEX HASH..." or "consistency NEW OLD HASH...", its hashes in base64. The tree is
// built anew from the entry bundles; the checkpoint's signature and root, every tile and every proof are held to it.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// hashes are the stored hashes of a tree in the order that tlog gives them.
type hashes []tlog.Hash

func (kept hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = kept[index]
	}
	return found, nil
}

// folder reads tiles as C2SP tlog-tiles names them, which is without the height.
type folder string

func (dir folder) Height() int { return height }

func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	contents := make([][]byte, len(tiles))
	for i, tile := range tiles {
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		content, err := os.ReadFile(filepath.Join(string(dir), name))
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

func main() {
	log.SetFlags(0)
	verifier, err := note.NewVerifier(os.Args[1])
	must(err)
	dir := folder(os.Args[2])
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)

	kept, leaves := built(dir, size)
	if size > 0 {
		made, err := tlog.TreeHash(size, kept)
		must(err)
		if made != root {
			log.Fatalf("the entries have the root %v, signed is %v", made, root)
		}
		checkTiles(dir, tlog.Tree{N: size, Hash: root}, leaves)
	}
	fmt.Println(size, checkProofs(kept, leaves))
}

// built returns the tree over the entries of the bundles, and its leaves.
func built(dir folder, size int64) (kept hashes, leaves []tlog.Hash) {
	for first := int64(0); first < size; first += 1 << height {
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(min(1<<height, size-first))}
		name := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		content, err := os.ReadFile(filepath.Join(string(dir), name))
		must(err)
		for width := 0; width < tile.W; width++ {
			length := int(binary.BigEndian.Uint16(content))
			entry := content[2 : 2+length]
			content = content[2+length:]
			leaves = append(leaves, tlog.RecordHash(entry))
			more, err := tlog.StoredHashes(int64(len(leaves)-1), entry, kept)
			must(err)
			kept = append(kept, more...)
		}
		if len(content) > 0 {
			log.Fatalf("%s goes on after its entries", name)
		}
	}
	return kept, leaves
}

// checkTiles reads every leaf through the tiles, which tlog holds to the root.
func checkTiles(dir folder, tree tlog.Tree, leaves []tlog.Hash) {
	reader := tlog.TileHashReader(tree, dir)
	for first := 0; first < len(leaves); first += 1 << height {
		last := int(min(int64(first+1<<height), int64(len(leaves))))
		indexes := make([]int64, 0, 1<<height)
		for leaf := first; leaf < last; leaf++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(leaf)))
		}
		found, err := reader.ReadHashes(indexes)
		must(err)
		for i, hash := range found {
			if hash != leaves[first+i] {
				log.Fatalf("leaf %d is another in its tile", first+i)
			}
		}
	}
}

func checkProofs(kept hashes, leaves []tlog.Hash) (count int) {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	roots := map[int64]tlog.Hash{}
	at := func(size int64) tlog.Hash {
		if _, known := roots[size]; !known {
			root, err := tlog.TreeHash(size, kept)
			must(err)
			roots[size] = root
		}
		return roots[size]
	}
	for input.Scan() {
		words := bytes.Fields(input.Bytes())
		size, err := strconv.ParseInt(string(words[1]), 10, 64)
		must(err)
		other, err := strconv.ParseInt(string(words[2]), 10, 64)
		must(err)
		path := make([]tlog.Hash, 0, len(words)-3)
		for _, word := range words[3:] {
			content, err := base64.StdEncoding.DecodeString(string(word))
			must(err)
			path = append(path, tlog.Hash(*(*[tlog.HashSize]byte)(content)))
		}
		if string(words[0]) == "inclusion" {
			err = tlog.CheckRecord(tlog.RecordProof(path), size, at(size), other, leaves[other])
		} else {
			err = tlog.CheckTree(tlog.TreeProof(path), size, at(size), other, at(other))
		}
		if err != nil {
			log.Fatalf("%s %d %d: %v", words[0], size, other, err)
		}
		count++
	}
	must(input.Err())
	return count
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
