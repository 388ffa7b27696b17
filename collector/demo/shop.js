/*
 * The shop: what a page of one's own does to track what matters to it. Two calls are of interest, both to `livetag`:
 * `add_to_cart` with a price in minor units (cents), and `purchase` with its own id.
 *
 * The cart is kept in the links' fragment (`#lamp,mug`), not in storage: the shop needs nothing on the device either.
 */

const CURRENCY = 'EUR'
const PRODUCTS = {
  lamp: { name: 'Walnut desk lamp', price: 8900, text: 'Warm light, a joint that stays where you put it.' },
  mug: { name: 'Stoneware mug', price: 1800, text: 'Thrown by hand, holds a third of a liter.' },
  throw: { name: 'Wool throw', price: 6400, text: 'Soft, heavy, and woven to last.' },
  planter: { name: 'Terracotta planter', price: 2400, text: 'Breathes, so that roots do too.' },
  clock: { name: 'Oak wall clock', price: 5200, text: 'Quiet: no tick to keep you awake.' },
  notebook: { name: 'Linen notebook', price: 1500, text: 'Opens flat, 192 pages, dotted.' },
}

const known = key => Object.hasOwn(PRODUCTS, key)
const find = selector => document.querySelector(selector)
const money = minor => new Intl.NumberFormat(undefined, { style: 'currency', currency: CURRENCY }).format(minor / 100)

/** Keys of the products in the cart, one for each piece. */
let cart = location.hash.slice(1).split(',').filter(known)

function showCart() {
  const count = find('[data-cart-count]')
  count.textContent = cart.length
  count.hidden = cart.length === 0
  for (const link of document.querySelectorAll('a:not([download])')) {
    // The link to a place on this page keeps its fragment.
    const leads = link.origin === location.origin && link.pathname.startsWith('/demo/')
    if (leads && !link.getAttribute('href').startsWith('#')) link.hash = cart.join(',')
  }
}

function showPrices() {
  for (const place of document.querySelectorAll('[data-price]')) place.textContent = money(Number(place.dataset.price))
}

/** The product page shows what `?item=` names. */
function showProduct() {
  const key = new URLSearchParams(location.search).get('item') ?? 'lamp'
  if (!find('[data-product]') || !known(key)) return
  const product = PRODUCTS[key]
  document.title = `${product.name} – Fern & Oak`
  find('[data-product=image]').src = `/demo/images/${key}.svg`
  find('[data-product=name]').textContent = product.name
  find('[data-product=price]').dataset.price = product.price
  find('[data-product=text]').textContent = product.text
  find('[data-product=add]').dataset.add = key
}

function showRows() {
  const rows = find('[data-cart-rows]')
  if (!rows) return
  rows.replaceChildren(
    ...[...new Set(cart)].map(key => {
      const row = document.createElement('tr')
      const pieces = cart.filter(other => other === key).length
      for (const text of [PRODUCTS[key].name, pieces, money(PRODUCTS[key].price * pieces)]) {
        row.insertCell().textContent = text
      }
      return row
    }),
  )
  find('[data-cart-sum]').textContent = money(sum())
  find('[data-cart-empty]').hidden = cart.length > 0
  find('[data-cart-full]').hidden = cart.length === 0
}

const sum = () => cart.reduce((total, key) => total + PRODUCTS[key].price, 0)

function say(text) {
  const toast = find('[data-toast]')
  toast.textContent = text
  toast.classList.add('shown')
  setTimeout(() => toast.classList.remove('shown'), 2_500)
}

function add(key) {
  const product = PRODUCTS[key]
  cart = [...cart, key]
  livetag('track', 'add_to_cart', { product: key, name: product.name, price: product.price, currency: CURRENCY })
  showCart()
  say(`${product.name} is in your cart`)
}

/** An order's number is its event's id: however often it is sent, it counts once. */
let order

function buy() {
  order = {
    id: `order-${[...crypto.getRandomValues(new Uint8Array(6))].map(byte => byte.toString(16).padStart(2, '0')).join('')}`,
    props: { value: sum(), currency: CURRENCY, pieces: cart.length, products: cart },
  }
  livetag('track', 'purchase', order.props, { id: order.id })
  cart = []
  showCart()
  find('[data-cart-full]').hidden = true
  find('[data-order]').textContent = order.id
  const thanks = find('[data-bought]')
  thanks.hidden = false
  thanks.focus()
}

document.addEventListener('click', event => {
  const button = event.target.closest('button')
  if (!button) return
  if (button.dataset.add) add(button.dataset.add)
  else if ('buy' in button.dataset) buy()
  else if ('again' in button.dataset) {
    livetag('track', 'purchase', order.props, { id: order.id })
    say('Sent again. The count of purchases stays the same.')
  }
})

document.addEventListener('submit', event => {
  if (!('signup' in event.target.dataset)) return
  event.preventDefault()
  // That somebody signed up is worth counting; who it was is nobody's business but the letter's.
  livetag('track', 'signup', { form: 'letter' })
  event.target.reset()
  say('Signed up, or would be in a real shop')
})

showProduct()
showPrices()
showCart()
showRows()
