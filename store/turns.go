package store

import "math/rand/v2"

// group has members who take turns. Those who have nothing to do are none.
type group[K comparable, M any] struct {
	size    int // of all members together
	members map[K]*turn[K, M]
	order   []*turn[K, M] // the next first
}

// turn is a member's.
type turn[K comparable, M any] struct {
	key    K
	member M
	size   int
}

// at is the member with the key, which is made if there is none.
func (g *group[K, M]) at(key K, make func() M) M {
	t := g.members[key]
	if t == nil {
		if g.members == nil {
			g.members = map[K]*turn[K, M]{}
		}
		t = &turn[K, M]{key: key, member: make()}
		g.members[key] = t
		g.order = append(g.order, t)
	}
	return t.member
}

// member is the one with the key, who is there.
func (g *group[K, M]) member(key K) M { return g.members[key].member }

// count changes the size of a member; one of no size is none any more.
func (g *group[K, M]) count(key K, by int) {
	t := g.members[key]
	t.size += by
	g.size += by
	if t.size > 0 {
		return
	}
	delete(g.members, key)
	for i := range g.order {
		if g.order[i] == t {
			g.order = append(g.order[:i], g.order[i+1:]...)
			return
		}
	}
}

// next is the member whose turn it is. Its next one comes after those of all others.
func (g *group[K, M]) next() M {
	t := g.order[0]
	g.order = append(g.order[1:], t)
	return t.member
}

// largest is the member with the largest size, any of several: if it were always the last of them, as many members as
// there are places would let no other in.
func (g *group[K, M]) largest() M {
	found, others := g.order[0], 0
	for _, t := range g.order[1:] {
		switch {
		case t.size > found.size:
			found, others = t, 0
		case t.size == found.size:
			if others++; rand.N(others+1) == 0 { //nolint:gosec // a draw is no secret
				found = t
			}
		}
	}
	return found.member
}
