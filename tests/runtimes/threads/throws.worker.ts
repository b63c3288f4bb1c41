throw new TypeError('The worker file throws')
